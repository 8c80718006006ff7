"""A session between PC and device: handshake, records, requests answered once (docs/protocol.md, sections 3 and 6)."""
