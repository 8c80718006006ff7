"""Devices as their factory records say: who may ask for a configuration (C1)."""
