"""Orders: what a device shall become (C2)."""
