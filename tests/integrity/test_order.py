"""Properties of measuring: each octet once from whatever it is read, and nothing that goes in can be changed unseen."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.integrity.limits import PIECE_SIZE
from fob_protocol.integrity.measure import integrity_value
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.integrity.order import Direction, Order, pieces
from fob_protocol.integrity.source import Joined, Octets, Source, Stored
from integrity import second_measure as second
from integrity.made_up import made_up
from integrity.matrix import METHODS, challenge_for, iv_for

LARGE = made_up("large", 3 * PIECE_SIZE + 5)
AT_BORDERS = st.builds(lambda count, more: count * PIECE_SIZE + more, st.integers(1, 3), st.integers(-2, 2))
LENGTHS = st.integers(0, 40) | st.integers(0, len(LARGE)) | AT_BORDERS


def in_order(octets: bytes, offset: int, direction: Direction) -> bytes:
    """What is hashed, by slices."""
    if direction is Direction.TOWARDS_END:
        return octets[offset:] + octets[:offset]
    return (octets[offset + 1 :] + octets[: offset + 1])[::-1]


def offsets(length: int) -> st.SearchStrategy[int]:
    return st.integers(0, max(0, length - 1))


def split(octets: bytes, borders: list[int]) -> Source:
    """The same octets, joined of parts: in memory, or kept elsewhere."""
    source: Source = Octets(b"")
    for begin, end in zip([0, *borders], [*borders, len(octets)], strict=True):
        part = Octets(octets[begin:end])
        source = Joined(source, Stored(part.length, part.read) if begin % 2 else part)
    return source


@given(octets=st.binary(max_size=30), data=st.data(), direction=st.sampled_from(Direction))
def test_slices_and_single_octets_agree(octets: bytes, data: st.DataObject, direction: Direction) -> None:
    offset = data.draw(offsets(len(octets)))
    one_by_one = bytes(octets[at] for at in second.indices(offset, direction, len(octets)))
    assert in_order(octets, offset, direction) == one_by_one


@pytest.mark.clause("V5", "V8")
@given(length=LENGTHS, data=st.data(), direction=st.sampled_from(Direction))
def test_each_octet_once_of_any_source(length: int, data: st.DataObject, direction: Direction) -> None:
    octets = LARGE[:length]
    offset = data.draw(offsets(length))
    borders = sorted(data.draw(st.lists(st.integers(0, length), max_size=4)))
    hashed = list(pieces(split(octets, borders), Order(offset, direction)))
    assert b"".join(hashed) == in_order(octets, offset, direction)
    assert all(0 < len(piece) <= PIECE_SIZE for piece in hashed)


class Measurement(NamedTuple):
    """All that goes into a value."""

    method: Method
    program: bytes
    identifier: bytes = made_up("identifier", 32)
    iv: bytes = made_up("iv", 16)
    challenge: bytes = made_up("challenge", 32)

    def value(self) -> bytes:
        iv, challenge = iv_for(self.method, self.iv), challenge_for(self.method, self.challenge)
        return integrity_value(self.method, self.identifier, iv, challenge, Octets(self.program))


def changed(octets: bytes, at: int, by: int) -> bytes:
    at %= len(octets)
    return octets[:at] + bytes([octets[at] ^ by]) + octets[at + 1 :]


def other_programs(program: bytes, at: int, by: int) -> set[bytes]:
    """An octet changed, one more at either end, one less, two swapped; those that are another program by it."""
    at %= len(program) - 1
    swapped = program[:at] + program[at : at + 2][::-1] + program[at + 2 :]
    changes = {changed(program, at, by), program + b"\0", b"\0" + program, program[:-1], program[1:], swapped}
    return changes - {program}


def others(measured: Measurement, at: int, by: int) -> Iterator[Measurement]:
    """Each differs in one thing that enters the value."""
    method = measured.method
    for program in other_programs(measured.program, at, by):
        yield measured._replace(program=program)
    for technique in set(Technique) - {method.technique}:
        yield measured._replace(method=Method(technique, method.embedder, method.variant))
    for variant in set(Variant) - {method.variant}:
        yield measured._replace(method=Method(method.technique, method.embedder, variant))
    yield measured._replace(identifier=changed(measured.identifier, at, by))
    if method.variant in second.IV_IN_HEADER:
        yield measured._replace(iv=changed(measured.iv, at, by))
    if method.technique in second.CHALLENGED:
        yield measured._replace(challenge=changed(measured.challenge, at, by))


@pytest.mark.clause("V2", "V7", "V8", "V10")
@given(
    method=st.sampled_from(METHODS),
    program=st.binary(min_size=2, max_size=60),
    at=st.integers(0, 1000),
    by=st.integers(1, 255),
)
def test_whatever_is_changed_changes_the_value(method: Method, program: bytes, at: int, by: int) -> None:
    measured = Measurement(method, program)
    cases = [measured, *others(measured, at, by)]
    assert len({case.value() for case in cases}) == len(cases)


def test_the_embedder_does_not_enter_the_value() -> None:
    """Either way the copy has the same octets."""
    values = {Measurement(Method(Technique.D7, embedder, Variant.VA_7), b"copy").value() for embedder in Embedder}
    assert len(values) == 1
