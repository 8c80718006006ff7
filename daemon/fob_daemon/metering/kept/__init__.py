"""What this computer keeps of a meter: one file, its rows by what they are of, and the disk beside the event loop."""
