"""The line over Bluetooth Low Energy (docs/protocol.md, section 8), the PC's side, on bleak.

Nothing here is imported before a `ble:` device is asked for: `fob_daemon.link.lines` is the way in.
"""
