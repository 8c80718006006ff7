"""The tree's hash, entry by entry (RFC 9162, section 2.1.1)."""

import hashlib


class Tree:
    """Of what came until now. It keeps the hashes of its full subtrees, at most one for each power of two."""

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []

    def add(self, entry: bytes) -> None:
        """The next entry's octets."""
        joined = hashlib.sha256(b"\x00" + entry).digest()
        self.size += 1
        # As often as two of one size stand side by side.
        pairs = self.size
        while pairs % 2 == 0:
            joined = hashlib.sha256(b"\x01" + self._subtrees.pop() + joined).digest()
            pairs //= 2
        self._subtrees.append(joined)

    def root(self) -> bytes:
        """32 octets."""
        if not self._subtrees:
            return hashlib.sha256(b"").digest()
        *larger, root = self._subtrees
        for subtree in reversed(larger):
            root = hashlib.sha256(b"\x01" + subtree + root).digest()
        return root
