"""The integrity check value, against a second implementation: each technique, embedder and variant (V2, V5, V6, V8)."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from fob_protocol.integrity.identifier import mark_of, marked, read_mark
from fob_protocol.integrity.letter import read_letter, write_letter
from fob_protocol.integrity.limits import PIECE_SIZE
from fob_protocol.integrity.measure import initialisation_value, integrity_value, is_of_request
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.integrity.order import order_of
from fob_protocol.integrity.source import Octets, Source, Stored
from fob_protocol.office.errors import Fault, OfficeError
from integrity import make_vectors
from integrity import second_measure as second
from integrity.made_up import made_up
from integrity.matrix import EACH_METHOD, EMBEDDERS, METHODS, challenge_for, iv_for

# Of programs: none, one octet, odd lengths, and where the head of a CBOR length grows (40 octets are the mark's).
SIZES = (0, 1, 2, 3, 17, 215, 216, 217, 1001)
# An odd number of octets, few enough to look for an identifier that begins at any of them.
SMALL = 43


@dataclass(slots=True)
class Recorded:
    """A source that counts how often it gave each octet."""

    octets: bytes
    given: Counter[int] = field(default_factory=Counter)

    @property
    def length(self) -> int:
        return len(self.octets)

    def read(self, at: int, size: int) -> bytes:
        assert size > 0
        assert 0 <= at <= at + size <= len(self.octets)
        self.given.update(range(at, at + size))
        return self.octets[at : at + size]


def both(method: Method, identifier: bytes, iv: bytes, challenge: bytes, source: Source, octets: bytes) -> bytes:
    """The value that both implementations find."""
    ours = integrity_value(method, identifier, iv_for(method, iv), challenge_for(method, challenge), source)
    assert ours == second.measure(method.technique, method.variant, identifier, iv, challenge, octets)
    return ours


def as_embedded(method: Method, program: bytes, identifier: bytes) -> Source:
    """The copy at its holder, however the identifier came there."""
    if method.embedder is Embedder.DISTRIBUTOR:
        downloaded = program + mark_of(identifier)
        assert read_mark(downloaded[len(program) :]) == identifier
        return Octets(downloaded)
    return marked(Octets(program), mark_of(read_letter(write_letter(identifier).lower())))


@pytest.mark.clause("V6")
def test_the_matrix_has_every_technique_and_variant() -> None:
    assert len(METHODS) == (4 + 3 * 2) * 7
    assert {method.technique for method in METHODS} == set(Technique)
    assert {method.variant for method in METHODS} == set(Variant)
    for method in METHODS:
        method.check()


@pytest.mark.clause("V6")
@pytest.mark.parametrize("technique", Technique)
def test_d1_to_d4_say_who_embeds(technique: Technique) -> None:
    for embedder in set(Embedder) - set(EMBEDDERS[technique]):
        with pytest.raises(OfficeError, match="not embedded by") as raised:
            Method(technique, embedder, Variant.VA_1).check()
        assert raised.value.fault is Fault.MALFORMED


@pytest.mark.clause("V1", "V2", "V5", "V6", "V8", "V9")
@EACH_METHOD
def test_every_program_measures_the_same_twice(method: Method) -> None:
    """At the office of program and identifier, at its holder of the copy; no two copies have the same value."""
    values = set()
    for size in SIZES:
        for copy in range(3):
            name = f"{method} {size} {copy}"
            program, identifier = made_up(f"program {size}", size), made_up(name, 32)
            iv, challenge = made_up(f"{name} iv", 16), made_up(f"{name} challenge", 32)
            octets = program + b"fobmark1" + identifier
            here = both(method, identifier, iv, challenge, as_embedded(method, program, identifier), octets)
            office = marked(Octets(program), mark_of(identifier))
            assert both(method, identifier, iv, challenge, office, octets) == here
            values.add(here)
    assert len(values) == len(SIZES) * 3


@pytest.mark.clause("V5", "V8")
@EACH_METHOD
@pytest.mark.parametrize("octets", [b"", b"x"], ids=["no octets", "one octet"])
def test_what_has_hardly_any_octets(method: Method, octets: bytes) -> None:
    """Without a mark too: any octet string can be measured."""
    for copy in range(8):
        recorded = Recorded(octets)
        identifier = made_up(f"{method} {copy}", 32)
        both(method, identifier, made_up("iv", 16), made_up("challenge", 32), recorded, octets)
        assert recorded.given == dict.fromkeys(range(len(octets)), 1)


def ways(method: Method) -> Iterator[tuple[int, int, bool]]:
    """Offset, direction, and whether two offsets make the length together: all that the method can have at the ends."""
    technique, variant = int(method.technique), int(method.variant)
    first, other = technique in second.OFFSET_TECHNIQUES, variant in second.OFFSET_VARIANTS
    turns = technique in second.DIRECTION_TECHNIQUES or variant in second.DIRECTION_VARIANTS
    for direction in (0, 1) if turns else (0,):
        for offset in (0, 1, SMALL - 2, SMALL - 1) if first or other else (0,):
            yield offset, direction, False
        if first and other:
            yield 0, direction, True


def find(method: Method, wanted: tuple[int, int, bool], iv: bytes) -> bytes:
    """An identifier by which measuring begins and goes as wanted."""
    for count in range(10_000):
        identifier = made_up(f"{method} {wanted} {count}", 32)
        way = second.way(method.technique, method.variant, identifier, iv, SMALL)
        offset, direction, is_past_the_end = wanted
        if is_past_the_end and way.download + way.operation != SMALL:
            continue
        if (way.offset, way.direction) == (offset, direction):
            return identifier
    raise AssertionError("none is found")


@pytest.mark.clause("V8", "V9")
@EACH_METHOD
def test_offsets_at_both_ends_and_both_directions(method: Method) -> None:
    """Each octet is counted once, wherever measuring begins: at 0, 1, the last ones, and at the length itself."""
    iv, challenge = made_up(f"{method} iv", 16), made_up(f"{method} challenge", 32)
    octets = bytes(range(SMALL))
    for wanted in ways(method):
        identifier = find(method, wanted, iv)
        order = order_of(method, identifier, iv_for(method, iv), SMALL)
        assert (order.offset, order.direction) == wanted[:2]
        recorded = Recorded(octets)
        both(method, identifier, iv, challenge, recorded, octets)
        assert recorded.given == dict.fromkeys(range(SMALL), 1)


@pytest.mark.clause("V8")
@pytest.mark.parametrize("variant", Variant)
def test_lengths_around_a_piece(variant: Variant) -> None:
    """Read as from a file, piece by piece, in both directions."""
    method = Method(Technique.D7, Embedder.TOOL, variant)
    directions = set()
    for length in (PIECE_SIZE - 1, PIECE_SIZE, PIECE_SIZE + 1, 2 * PIECE_SIZE + 1):
        octets = made_up("large", length)
        identifier, iv, challenge = made_up(f"{variant} {length}", 32), made_up("iv", 16), made_up("challenge", 32)
        directions.add(order_of(method, identifier, iv_for(method, iv), length).direction)
        both(method, identifier, iv, challenge, Stored(length, Octets(octets).read), octets)
    assert len(directions) == 2


@pytest.mark.clause("V6", "V8")
def test_published_vectors() -> None:
    """Made by the second implementation, found by the first; made anew they are the same."""
    text = make_vectors.FILE.read_text(encoding="utf-8")
    assert text == make_vectors.as_text()
    vectors = json.loads(text)["vectors"]
    assert len(vectors) == 7 * 7 * 3
    for vector in vectors:
        method = Method(Technique(vector["technique"]), Embedder.DISTRIBUTOR, Variant(vector["variant"]))
        iv, challenge = (vector[name] and bytes.fromhex(vector[name]) for name in ("iv", "challenge"))
        identifier, source = bytes.fromhex(vector["identifier"]), Octets(bytes.fromhex(vector["content"]))
        order = order_of(method, identifier, iv, source.length)
        assert (order.offset, order.direction) == (vector["offset"], vector["direction"])
        assert integrity_value(method, identifier, iv, challenge, source).hex() == vector["value"]


def test_the_second_implementation_has_nothing_of_the_first() -> None:
    for name in ("second_measure.py", "make_vectors.py", "made_up.py"):
        assert "fob_protocol" not in Path(__file__).with_name(name).read_text(encoding="utf-8")


@EACH_METHOD
def test_an_iv_and_a_challenge_are_there_exactly_where_they_belong(method: Method) -> None:
    iv, challenge = iv_for(method, bytes(16)), challenge_for(method, bytes(32))
    measured = partial(integrity_value, method, bytes(32), source=Octets(b"program"))
    assert len(measured(iv=iv, challenge=challenge)) == 32
    with pytest.raises(ValueError, match="initialisation value"):
        measured(iv=bytes(16) if iv is None else None, challenge=challenge)
    with pytest.raises(ValueError, match="challenge"):
        measured(iv=iv, challenge=bytes(32) if challenge is None else None)


@pytest.mark.clause("V10")
def test_an_iv_is_that_of_one_request() -> None:
    for number in (1, 2, 255, 256, (1 << 53) - 1):
        iv = initialisation_value(number, made_up("random", 8))
        assert iv == number.to_bytes(8, "big") + made_up("random", 8)
        assert [other for other in (1, 2, 255, 256, (1 << 53) - 1) if is_of_request(iv, other)] == [number]
        assert not is_of_request(iv[:-1], number)
    with pytest.raises(ValueError, match="8 random octets"):
        initialisation_value(1, bytes(7))
