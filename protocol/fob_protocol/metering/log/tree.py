"""The tree that only grows (RFC 9162, section 2.1): how a leaf comes to it, and the proof about any earlier size.

A *node* is the hash over 2^level leaves from index * 2^level on. It is made when its last leaf comes and never changes
again, so whoever keeps the nodes only ever adds to them: two for each leaf.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

from fob_protocol.metering.log.hashes import EMPTY_ROOT, node_hash
from fob_protocol.metering.log.limits import SIZE_LIMIT


class Nodes(Protocol):
    """Where the nodes are kept."""

    def get(self, level: int, index: int) -> bytes:
        """32 octets. Called only for nodes whose leaves have all come; for the keeper to raise when one is missing."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node to keep; level 0 is the hash of a leaf."""

    level: int
    index: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that is needed to append: the nodes that have no parent yet, the largest first (at most 48)."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for a frontier that no tree has."""
        if not 0 <= self.size <= SIZE_LIMIT or len(self.hashes) != self.size.bit_count():
            raise ValueError("a tree has no such frontier")

    @classmethod
    def load(cls, nodes: Nodes, size: int) -> "Frontier":
        """Of the tree with `size` leaves: one look-up for each bit that is set in it. Raises ValueError."""
        _check(0, size)
        return cls(size, tuple(_complete_nodes(nodes, 0, size)))

    @property
    def root(self) -> bytes:
        """The tree's hash, 32 octets."""
        return _fold(self.hashes)

    def append(self, leaf: bytes) -> tuple["Frontier", Sequence[Node]]:
        """With one leaf (its hash) more, and the nodes that it made. Raises ValueError when the tree is full."""
        made = [Node(0, self.size, leaf)]
        hashes = list(self.hashes)
        # A carry as in counting: each bit that is set is a node that gets its right half now.
        while self.size >> len(made) - 1 & 1:
            made.append(Node(len(made), self.size >> len(made), node_hash(hashes.pop(), made[-1].hash)))
        return Frontier(self.size + 1, (*hashes, made[-1].hash)), made


def consistency_proof(nodes: Nodes, earlier: int, size: int) -> list[bytes]:
    """That the tree of this size begins with the one of the earlier size (RFC 9162, section 2.1.4.1).

    Empty for equal sizes, and for 0: every tree begins with nothing. Raises ValueError for sizes that do not follow.
    """
    _check(earlier, size)
    if earlier == 0:
        return []
    proof = []
    begin, end = 0, size
    while end != earlier:
        middle = _middle(begin, end)
        if earlier <= middle:
            proof.append(_hash_of(nodes, middle, end))
            end = middle
        else:
            proof.append(_hash_of(nodes, begin, middle))
            begin = middle
    if begin > 0:
        # Otherwise it is the earlier root, which whoever checks has.
        proof.append(_hash_of(nodes, begin, end))
    return proof[::-1]


def _check(earlier: int, size: int) -> None:
    if not 0 <= earlier <= size <= SIZE_LIMIT:
        raise ValueError(f"a tree of {size} leaves has no {earlier} first ones")


def _middle(begin: int, end: int) -> int:
    """Where the left half ends: it has the largest power of two that is less than all."""
    return begin + (1 << (end - begin - 1).bit_length() - 1)


def _hash_of(nodes: Nodes, begin: int, end: int) -> bytes:
    """The hash over a range that the proofs' halving came to."""
    return _fold(_complete_nodes(nodes, begin, end))


def _complete_nodes(nodes: Nodes, begin: int, end: int) -> list[bytes]:
    """The largest nodes that make up a range, from the left; halving has aligned its beginning."""
    hashes = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        hashes.append(nodes.get(level, begin >> level))
        begin += 1 << level
    return hashes


def _fold(hashes: Sequence[bytes]) -> bytes:
    """From the right: the smaller ones are deeper."""
    if not hashes:
        return EMPTY_ROOT
    return reduce(lambda right, left: node_hash(left, right), reversed(hashes))
