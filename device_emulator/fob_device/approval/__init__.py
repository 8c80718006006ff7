"""Who says yes on the device: the person at the screen, or a rule file when there is none."""
