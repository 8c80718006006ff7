"""Bluetooth without BlueZ: bleak's interfaces on bumble, over a controller of the daemon's own or a virtual one."""
