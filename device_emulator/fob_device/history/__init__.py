"""What the phone did and who said so: a signed chain of entries in its file (docs/protocol.md, section 4.2)."""
