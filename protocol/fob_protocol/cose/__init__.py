"""COSE (RFC 9052) objects in deterministic CBOR: what device and office say (docs/office-protocol.md, section 1)."""
