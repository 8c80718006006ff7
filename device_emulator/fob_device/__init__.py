"""fob-device: the emulated phone that holds the keys."""
