"""The tree: published vectors, a second implementation, every proof of small trees, and what a proof costs."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.metering.log.errors import ProofError
from fob_protocol.metering.log.hashes import EMPTY_ROOT, leaf_hash, node_hash
from fob_protocol.metering.log.limits import LEVELS_LIMIT, PROOF_LIMIT, SIZE_LIMIT
from fob_protocol.metering.log.proofs import TreeHead, verify_consistency
from fob_protocol.metering.log.tree import Frontier, consistency_proof
from support.octets import flipped

# The leaves of the reference tree that implementations of Certificate Transparency publish, and its root at each size.
REFERENCE = [
    bytes.fromhex(leaf)
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Earlier and later size; and the proof.
CONSISTENCIES = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
LARGEST = 64


class KeptNodes:
    """A tree's nodes; none is kept twice."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.frontiers = [Frontier()]
        for leaf in leaves:
            frontier, made = self.frontiers[-1].append(leaf_hash(leaf))
            for node in made:
                assert (node.level, node.index) not in self.nodes
                self.nodes[node.level, node.index] = node.hash
            self.frontiers.append(frontier)

    def get(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]

    def head(self, size: int) -> TreeHead:
        return TreeHead(size, self.frontiers[size].root)


class CountedNodes:
    """A tree too large for any machine: only who asks is counted."""

    def __init__(self) -> None:
        self.asked = 0

    def get(self, level: int, index: int) -> bytes:
        self.asked += 1
        assert (index + 1) << level <= SIZE_LIMIT
        return bytes(32)


def merkle_tree_hash(leaves: Sequence[bytes]) -> bytes:
    """The definition, word for word (RFC 9162, section 2.1.1)."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node_hash(merkle_tree_hash(leaves[:k]), merkle_tree_hash(leaves[k:]))


def others(proof: Sequence[bytes], place: int) -> list[list[bytes]]:
    """Proofs of which one hash has another octet, one hash is missing, or one is too many."""
    changed = [[*proof[:at], flipped(one, place), *proof[at + 1 :]] for at, one in enumerate(proof)]
    missing = [[*proof[:at], *proof[at + 1 :]] for at in range(len(proof))]
    return [*changed, *missing, [*proof, bytes(32)]]


@pytest.fixture(scope="module")
def tree() -> KeptNodes:
    return KeptNodes([number.to_bytes(2) for number in range(LARGEST)])


def test_the_reference_tree_has_its_published_roots() -> None:
    tree = KeptNodes(REFERENCE)
    assert [frontier.root.hex() for frontier in tree.frontiers] == ROOTS
    assert [Frontier.load(tree, size).root.hex() for size in range(9)] == ROOTS


@pytest.mark.parametrize(("earlier", "later"), CONSISTENCIES)
def test_published_consistency_proofs(earlier: int, later: int) -> None:
    tree = KeptNodes(REFERENCE)
    proof = consistency_proof(tree, earlier, later)
    assert [one.hex() for one in proof] == CONSISTENCIES[earlier, later]
    verify_consistency(tree.head(earlier), tree.head(later), proof)


@given(st.lists(st.binary(max_size=8), max_size=LARGEST))
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    tree = KeptNodes(leaves)
    assert tree.frontiers[-1].root == merkle_tree_hash(leaves)
    assert Frontier.load(tree, len(leaves)) == tree.frontiers[-1]


def test_every_consistency_proof_verifies_and_no_other_does(tree: KeptNodes) -> None:
    random = Random(3)
    for size in range(1, LARGEST + 1):
        later = tree.head(size)
        for earlier_size in range(1, size + 1):
            earlier, proof = tree.head(earlier_size), consistency_proof(tree, earlier_size, size)
            verify_consistency(earlier, later, proof)
            octet = random.randrange(32)
            for other in others(proof, octet):
                with pytest.raises(ProofError):
                    verify_consistency(earlier, later, other)
            for wrong in (
                (TreeHead(earlier_size, flipped(earlier.root, octet)), later),
                (earlier, TreeHead(size, flipped(later.root, octet))),
            ):
                with pytest.raises(ProofError, match="another root"):
                    verify_consistency(*wrong, proof)


@given(st.data())
def test_any_octet_of_any_proof_counts(tree: KeptNodes, data: st.DataObject) -> None:
    size = data.draw(st.integers(2, LARGEST))
    earlier = data.draw(st.integers(1, size - 1))
    proof = consistency_proof(tree, earlier, size)
    at, octet = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 31))
    proof[at] = flipped(proof[at], octet)
    with pytest.raises(ProofError, match="another root"):
        verify_consistency(tree.head(earlier), tree.head(size), proof)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=8), st.integers(0, 70), st.integers(0, 70))
def test_a_proof_of_anything_ends_in_a_word(tree: KeptNodes, proof: list[bytes], one: int, other: int) -> None:
    root = bytes(32)
    with pytest.raises(ProofError):
        verify_consistency(TreeHead(one, root), TreeHead(other, flipped(root, 0)), proof)


def test_every_tree_follows_the_empty_one_and_itself(tree: KeptNodes) -> None:
    head = tree.head(5)
    verify_consistency(TreeHead(0, EMPTY_ROOT), head, consistency_proof(tree, 0, 5))
    verify_consistency(head, head, [])
    for earlier, later, proof in (
        (TreeHead(0, bytes(32)), head, []),
        (TreeHead(0, EMPTY_ROOT), head, [bytes(32)]),
        (head, head, [bytes(32)]),
        (head, TreeHead(5, bytes(32)), []),
        (tree.head(6), head, []),
        (TreeHead(-1, EMPTY_ROOT), head, []),
    ):
        with pytest.raises(ProofError):
            verify_consistency(earlier, later, proof)


@pytest.mark.parametrize("proof", [[bytes(31)], [bytes(33)], [bytes(32)] * (PROOF_LIMIT + 1)])
def test_hashes_and_proofs_have_their_sizes(tree: KeptNodes, proof: list[bytes]) -> None:
    with pytest.raises(ProofError, match=r"32 octets|size that there is not"):
        verify_consistency(tree.head(2), tree.head(3), proof)


@pytest.mark.parametrize("size", [SIZE_LIMIT, SIZE_LIMIT - 1, SIZE_LIMIT // 2 + 1, 0xAAAA_AAAA_AAAA])
def test_what_a_proof_costs_grows_as_the_levels(size: int) -> None:
    for place in (0, size // 3, size - 1):
        nodes = CountedNodes()
        assert len(consistency_proof(nodes, place + 1, size)) <= PROOF_LIMIT
        assert nodes.asked <= 2 * LEVELS_LIMIT
    nodes = CountedNodes()
    assert len(Frontier.load(nodes, size).hashes) == nodes.asked == size.bit_count()


def test_there_is_no_proof_of_what_a_tree_does_not_have(tree: KeptNodes) -> None:
    for earlier, size in ((6, 5), (-1, 5), (0, SIZE_LIMIT + 1)):
        with pytest.raises(ValueError, match="first ones"):
            consistency_proof(tree, earlier, size)
    with pytest.raises(ValueError, match="frontier"):
        Frontier(3, (bytes(32),))
    with pytest.raises(ValueError, match="frontier"):
        Frontier(SIZE_LIMIT, (bytes(32),)).append(bytes(32))
