"""Frames on the line (docs/protocol.md, section 2)."""
