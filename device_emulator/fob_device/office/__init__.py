"""What a device says to its back office, and what it keeps of it (docs/office-protocol.md)."""
