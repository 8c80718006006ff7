"""What a proof shows to somebody who has no tree (RFC 9162, section 2.1.4.2)."""

import hmac
from collections.abc import Sequence
from typing import NamedTuple

from fob_protocol.metering.log.errors import ProofError
from fob_protocol.metering.log.hashes import EMPTY_ROOT, HASH_SIZE, node_hash
from fob_protocol.metering.log.limits import PROOF_LIMIT, SIZE_LIMIT


class TreeHead(NamedTuple):
    """How many leaves a tree has, and its hash (32 octets)."""

    size: int
    root: bytes


def verify_consistency(earlier: TreeHead, later: TreeHead, proof: Sequence[bytes]) -> None:
    """That the later tree begins with all of the earlier one. Raises ProofError."""
    _check_sizes(later, proof)
    if not 0 <= earlier.size <= later.size:
        raise ProofError(f"a tree of {later.size} entries does not follow one of {earlier.size}")
    if earlier.size in (0, later.size):
        _check_root(earlier.root, later if earlier.size else TreeHead(0, EMPTY_ROOT))
        if proof:
            raise ProofError("the proof is too long")
        return
    # A power of two is a node of the later tree, where the path begins.
    is_node = earlier.size & (earlier.size - 1) == 0
    path = [earlier.root, *proof] if is_node else list(proof)
    if not path:
        raise ProofError("the proof is too short")
    _climb(earlier, later, path)


def _climb(earlier: TreeHead, later: TreeHead, path: Sequence[bytes]) -> None:
    """Both roots are made of one path, as far as its parts are in both trees."""
    place, last = earlier.size - 1, later.size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    earlier_root = later_root = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the proof is too long")
        if place & 1 or place == last:
            earlier_root = node_hash(sibling, earlier_root)
            later_root = node_hash(sibling, later_root)
            place, last = _climb_to_sibling(place, last)
        else:
            later_root = node_hash(later_root, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    _check_root(earlier_root, earlier)
    _check_root(later_root, later)


def _climb_to_sibling(place: int, last: int) -> tuple[int, int]:
    """Past the levels on which a node at the right edge has no sibling and goes up as it is."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last


def _check_sizes(head: TreeHead, proof: Sequence[bytes]) -> None:
    if not 0 <= head.size <= SIZE_LIMIT or len(proof) > PROOF_LIMIT:
        raise ProofError("a tree, or a proof, of a size that there is not")
    if any(len(sibling) != HASH_SIZE for sibling in proof):
        raise ProofError(f"a hash has {HASH_SIZE} octets")


def _check_root(root: bytes, head: TreeHead) -> None:
    if not hmac.compare_digest(root, head.root):
        raise ProofError(f"the tree of {head.size} entries has another root")
