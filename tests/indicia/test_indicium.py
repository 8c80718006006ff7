"""What an indicium says, that it says it in one way only, and that its token lets none of it be changed."""

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.frame import FRAME_TEXT_LIMIT, PREFIX, frame_text, read_frame
from fob_protocol.metering.indicium import (
    Indicium,
    addressee_digest,
    date_of,
    day_of,
    is_signed_token,
    is_token,
    make_token,
    normalised,
    sign_token,
)
from fob_protocol.metering.limits import INDICIUM_LIMIT, TOKEN_SIZE
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import read
from support.indicia import ADDRESS, SIGNING_KEY, TOKEN_KEY, an_indicium, indicated, indicia, publicly_indicated

PUBLIC_KEY = SIGNING_KEY.public_key().public_bytes_raw()


def flipped(octets: bytes) -> Iterator[bytes]:
    """With each bit turned, one at a time."""
    for at in range(8 * len(octets)):
        changed = bytearray(octets)
        changed[at // 8] ^= 1 << at % 8
        yield bytes(changed)


@given(indicia)
def test_every_indicium_and_its_frame_come_back(indicium: Indicium) -> None:
    octets = indicium.octets()
    assert read(Indicium, octets) == indicium
    assert len(octets) <= INDICIUM_LIMIT
    framed = Indicated(octets, make_token(TOKEN_KEY, indicium))
    assert read_frame(frame_text(framed)) == framed


def test_the_longest_frame_is_within_its_bound() -> None:
    most = (1 << 53) - 1
    names = {"value_kind": "v" * 32, "mail_class": "c" * 32, "origin": "O" * 16, "destination": "D" * 16}
    longest = msgspec.structs.replace(
        an_indicium(),
        serial="S" * 32,
        counter=most,
        piece=255,
        amount=10**12,
        ascending=most,
        key_version=65_535,
        **names,
    )
    assert len(longest.octets()) == 192
    assert len(frame_text(Indicated(longest.octets(), sign_token(SIGNING_KEY, longest)))) < FRAME_TEXT_LIMIT


def test_the_token_is_the_keys_and_the_indiciums() -> None:
    indicium = an_indicium()
    token = make_token(TOKEN_KEY, indicium)
    assert len(token) == TOKEN_SIZE
    assert is_token(TOKEN_KEY, indicium, token)
    assert not is_token(bytes(32), indicium, token)
    assert not is_token(TOKEN_KEY, indicium, token[:-1])
    assert not is_token(TOKEN_KEY, indicium, b"")
    signature = sign_token(SIGNING_KEY, indicium)
    assert is_signed_token(PUBLIC_KEY, indicium, signature)
    assert not is_signed_token(PUBLIC_KEY, indicium, token)


@pytest.mark.clause("M27")
@pytest.mark.parametrize(
    "change",
    [
        {"serial": "FM-000124"},
        {"counter": 43},
        {"piece": 1},
        {"amount": 96},
        {"value_kind": "chf-rappen"},
        {"date": 20261122},
        {"origin": "10117"},
        {"destination": "20097"},
        {"addressee": addressee_digest("Max Mustermann, Hauptstraße 5, 20095 Hamburg")},
        {"mail_class": "parcel"},
        {"ascending": 12_346},
        {"key_version": 2},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_thing_that_it_says_is_under_the_token(change: dict[str, str | int | bytes]) -> None:
    indicium = an_indicium()
    changed = msgspec.structs.replace(indicium, **change)
    assert not is_token(TOKEN_KEY, changed, make_token(TOKEN_KEY, indicium))
    assert not is_signed_token(PUBLIC_KEY, changed, sign_token(SIGNING_KEY, indicium))


def test_every_bit_that_is_turned_is_noticed() -> None:
    genuine = indicated()
    refused = 0
    for octets in flipped(genuine.octets()):
        assert not _is_genuine(octets)
        refused += 1
    assert refused == 8 * len(genuine.octets())
    assert _is_genuine(genuine.octets())


def test_every_bit_that_is_turned_is_noticed_by_strangers() -> None:
    genuine = publicly_indicated()
    assert _is_genuine_to_strangers(genuine.octets())
    assert not any(map(_is_genuine_to_strangers, flipped(genuine.octets())))


def _is_genuine(octets: bytes) -> bool:
    try:
        found = read(Indicated, octets)
        return is_token(TOKEN_KEY, read(Indicium, found.indicium), found.token)
    except OfficeError:
        return False


def _is_genuine_to_strangers(octets: bytes) -> bool:
    try:
        found = read(Indicated, octets)
        return is_signed_token(PUBLIC_KEY, read(Indicium, found.indicium), found.token)
    except OfficeError:
        return False


@pytest.mark.parametrize(
    "address",
    [
        "Erika Mustermann, Hauptstraße 5, 20095 Hamburg",
        "ERIKA MUSTERMANN\r\nHAUPTSTRASSE 5\r\n20095 HAMBURG\r\n",
        "  erika mustermann;hauptstrasse 5 / 20095 hamburg.",
        "Erika\u00a0Muster\u00admann Hauptstra\u00dfe \uff15 20095 Hamburg",
    ],
)
@pytest.mark.clause("M27")
def test_an_address_is_the_same_however_it_was_written(address: str) -> None:
    assert normalised(address) == "erika mustermann hauptstrasse 5 20095 hamburg"
    assert addressee_digest(address) == addressee_digest(ADDRESS)
    assert addressee_digest(address).hex() == "096802d0fbb796dc0feac253b279f234"


@pytest.mark.clause("M27")
@pytest.mark.parametrize("address", ["Erika Mustermann, Hauptstraße 6, 20095 Hamburg", "Hauptstraße 5, 20095 Hamburg"])
def test_another_address_is_another(address: str) -> None:
    assert addressee_digest(address) != addressee_digest(ADDRESS)


@pytest.mark.parametrize(("address", "why"), [("", "letters or digits"), (" ,.\n", "letters or"), ("a" * 513, "513")])
def test_what_is_no_address_is_refused(address: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        addressee_digest(address)


@given(st.text(min_size=1, max_size=40))
def test_a_normalised_address_stays_as_it_is(address: str) -> None:
    try:
        once = normalised(address)
    except ValueError:
        return
    assert normalised(once) == once


@pytest.mark.parametrize("date", [20260229, 20261301, 20260100, 20261132])
def test_a_date_that_no_calendar_has_is_refused(date: int) -> None:
    with pytest.raises(ValueError, match=r"day|month"):
        msgspec.structs.replace(an_indicium(), date=date)
    octets = an_indicium().octets().replace((20261121).to_bytes(4), date.to_bytes(4))
    with pytest.raises(OfficeError, match=r"day|month"):
        read(Indicium, octets)


def test_dates_are_days() -> None:
    assert date_of(day_of(20240229)) == 20240229


@pytest.mark.parametrize("place", ["", "Köln", "20095\n", " 20095", "A" * 17, "<b>"])
def test_a_place_that_printers_have_no_letters_for_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="place"):
        msgspec.structs.replace(an_indicium(), destination=place)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", Fault.MALFORMED),
        ("fob1", Fault.MALFORMED),
        ("FOB2BB8", Fault.MALFORMED),
        ("FOB1", Fault.MALFORMED),
        ("FOB1BB", Fault.MALFORMED),
        ("FOB1" + "0" * FRAME_TEXT_LIMIT, Fault.TOO_LARGE),
    ],
)
def test_what_is_no_frame_is_refused(text: str, fault: Fault) -> None:
    with pytest.raises(OfficeError) as refused:
        read_frame(text)
    assert refused.value.fault is fault


def test_a_frame_of_no_indicium_is_neither_written_nor_read() -> None:
    token = bytes(TOKEN_SIZE)
    with pytest.raises(OfficeError, match="malformed"):
        frame_text(Indicated(b"\x80", token))
    with pytest.raises(OfficeError, match="token of 20 octets"):
        frame_text(Indicated(an_indicium().octets(), bytes(20)))


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", max_size=60))
def test_no_text_of_a_stranger_does_more_than_be_refused(text: str) -> None:
    with pytest.raises(OfficeError):
        read_frame(PREFIX + text)


@pytest.mark.parametrize(
    ("kind", "amount", "words"),
    [
        ("eur-cent", 95, "EUR 0.95"),
        ("eur-cent", 123_400, "EUR 1234.00"),
        ("kwh-milli", 1_250, "1.250 kwh"),
        ("litre-micro", 7, "0.000007 litre"),
        ("copies", 12, "12 copies"),
        ("chf-rappen", 12, "12 chf-rappen"),
        ("-cent", 1, "1 -cent"),
    ],
)
def test_amounts_for_people(kind: str, amount: int, words: str) -> None:
    assert amount_words(kind, amount) == words
