"""One line to one PC: command state, data state, pairing, sessions (docs/protocol.md)."""
