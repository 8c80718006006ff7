"""The commands of `fob meter`, and what they share."""
