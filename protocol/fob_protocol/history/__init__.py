"""The device's history: a chain of signed records, and how a PC checks it (docs/protocol.md, section 4.2). No I/O."""
