"""The hashes of the tree (RFC 9162, section 2.1.1): no leaf passes for a node, nor a node for a leaf."""

import hashlib
from typing import Final

HASH_SIZE: Final = 32
# Of a tree without a leaf.
EMPTY_ROOT: Final = hashlib.sha256().digest()

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


def leaf_hash(leaf: bytes) -> bytes:
    """32 octets, of what the leaf says."""
    return hashlib.sha256(_LEAF + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """32 octets, of the two hashes below."""
    return hashlib.sha256(_NODE + left + right).digest()
