"""Octets that look random, and that everybody can make again."""

import hashlib


def made_up(name: str, size: int) -> bytes:
    """H(name ‖ " 0") ‖ H(name ‖ " 1") ‖ ..., as much as is asked for."""
    blocks = (hashlib.sha256(f"{name} {count}".encode()).digest() for count in range(size // 32 + 1))
    return b"".join(blocks)[:size]
