"""Pairing: commitment, Noise XX, six-digit code, two yeses (docs/protocol.md, section 5)."""
