"""What a device and its back office say to each other: docs/office-protocol.md."""
