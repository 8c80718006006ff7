"""Bluetooth by BlueZ, the Linux desktop's service: what bleak leaves to its user, over D-Bus (org.bluez)."""
