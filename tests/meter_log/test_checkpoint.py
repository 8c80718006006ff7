"""Entries and checkpoints, as boxes make and everybody reads them."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.cose import sign1
from fob_protocol.cose.labels import Label
from fob_protocol.metering.log.checkpoint import Checkpoint, read_checkpoint
from fob_protocol.metering.log.entry import Entry, Kind
from fob_protocol.metering.log.errors import LogError
from fob_protocol.metering.log.limits import CHECKPOINT_LIMIT, CONTENT_LIMIT, SIZE_LIMIT
from support.log_entries import ENTRY_LIMIT
from support.meter_log import BOX, NOON, ORIGIN, public
from support.octets import flipped

CHECKPOINT = Checkpoint(ORIGIN, 5, bytes(range(32)), NOON)
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))


def test_a_checkpoint_is_read_with_one_of_the_trusted_keys() -> None:
    signed = CHECKPOINT.signed(BOX)
    assert read_checkpoint([public(STRANGER), public(BOX)], ORIGIN, signed) == CHECKPOINT
    assert CHECKPOINT.head == (5, bytes(range(32)))


def test_the_longest_checkpoint_is_within_its_limit() -> None:
    longest = Checkpoint("a" * 32, SIZE_LIMIT, bytes(32), (1 << 53) - 1).signed(BOX)
    assert len(longest) == 181 < CHECKPOINT_LIMIT


@pytest.mark.parametrize(
    ("signed", "why"),
    [
        (CHECKPOINT.signed(STRANGER), "not trusted"),
        (Checkpoint("other.log", 5, bytes(32), NOON).signed(BOX), "of other.log, not of centre.log"),
        (sign1.sign(BOX, Label.TRANSACTION_RECORD, [], CHECKPOINT.octets()), "signature is wrong"),
        (sign1.sign(BOX, Label.CHECKPOINT, [], b"\x81\x01"), "no checkpoint"),
        (bytes(CHECKPOINT_LIMIT + 1), "over 512 octets"),
        (b"", "no checkpoint"),
    ],
)
def test_no_other_checkpoint_is_taken(signed: bytes, why: str) -> None:
    with pytest.raises(LogError, match=why):
        read_checkpoint([public(BOX)], ORIGIN, signed)


def test_no_octet_of_a_checkpoint_can_be_another() -> None:
    signed = CHECKPOINT.signed(BOX)
    for place in range(len(signed)):
        other = flipped(signed, place)
        with pytest.raises(LogError):
            read_checkpoint([public(BOX)], ORIGIN, other)


def test_a_leaf_is_an_array_of_version_kind_and_octets() -> None:
    entry = Entry(Kind.SCAN, b"seen")
    assert entry.octets() == bytes.fromhex("83010444") + b"seen"
    assert len(Entry(Kind.NOTE, bytes(CONTENT_LIMIT)).octets()) <= ENTRY_LIMIT


@given(st.binary(max_size=64))
def test_any_octets_are_refused_in_words(octets: bytes) -> None:
    with pytest.raises(LogError):
        read_checkpoint([public(BOX)], ORIGIN, octets)
