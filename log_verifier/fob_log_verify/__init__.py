"""`fob-log-verify`: whether an exported log of meters is what its checkpoints say (docs/meter-protocol.md, section 7).

It shares no code with device, daemon and office, so that a mistake of theirs is not also its own.
"""
