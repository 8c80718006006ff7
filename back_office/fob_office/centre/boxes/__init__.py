"""Emulated secure hardware: processes with their own folder and only their own keys (M3)."""
