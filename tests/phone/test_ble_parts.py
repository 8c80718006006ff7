"""The radio port's parts that need no radio: advertisement, address, and what waits to be sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_device.ports.ble.advertising import ADVERTISEMENT_SIZE, advertising_data
from fob_device.ports.ble.outgoing import UNSENT_LIMIT, Outgoing, TooMuchUnsentError
from fob_device.ports.ble.station import static_address

FLAGS = bytes.fromhex("020106")
SERVICE = bytes.fromhex("1107 e4b1706c5a3e179d6a4b8e2c0100b5f0")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("", "0109"),
        ("Fob", "0409 466f62"),
        ("12345678", "0909 3132333435363738"),
        ("123456789", "0908 3132333435363738"),
        # Seven octets: the fourth character has two and does not fit whole.
        ("äöüß€", "0908 c3a4c3b6c3bcc39f"),
        ("aäöü€", "0808 61c3a4c3b6c3bc"),
    ],
)
def test_an_advertisement_is_flags_service_and_what_fits_of_the_name(name: str, part: str) -> None:
    assert advertising_data(name) == FLAGS + SERVICE + bytes.fromhex(part)


@given(st.text(max_size=64))
def test_an_advertisement_always_fits_and_its_name_is_text(name: str) -> None:
    data = advertising_data(name.encode(errors="ignore").decode())
    assert len(data) <= ADVERTISEMENT_SIZE
    data[len(FLAGS + SERVICE) + 2 :].decode()


def test_the_address_is_static_random_and_comes_from_the_identity() -> None:
    first, second = static_address(b"one"), static_address(b"two")
    assert first == static_address(b"one") != second
    for address in (first, second):
        assert int(address[:2], 16) >> 6 == 0b11
        assert address == address.upper()


def values(outgoing: Outgoing, size: int) -> list[bytes]:
    """Everything that waits."""
    taken = []
    while value := outgoing.next_value(size):
        taken.append(value)
    return taken


def test_what_waits_travels_together_and_fills_its_values() -> None:
    outgoing = Outgoing()
    for octets in (b"A", b"T", b"\r", b"\r\nOK\r\n", b"frame\0", b"", b"another\0"):
        outgoing.add(octets)
    assert values(outgoing, 20) == [b"AT\r\r\nOK\r\nframe\0anoth", b"er\0"]
    assert len(outgoing) == 0


def test_what_waits_is_bounded() -> None:
    outgoing = Outgoing()
    outgoing.add(bytes(UNSENT_LIMIT))
    with pytest.raises(TooMuchUnsentError):
        outgoing.add(b"x")
    assert len(outgoing) == UNSENT_LIMIT
    outgoing.next_value(1)
    outgoing.add(b"x")


@given(st.lists(st.binary(max_size=40)), st.integers(1, 25))
def test_nothing_is_lost_or_turned_round(writes: list[bytes], size: int) -> None:
    outgoing = Outgoing()
    for octets in writes:
        outgoing.add(octets)
    taken = values(outgoing, size)
    assert b"".join(taken) == b"".join(writes)
    assert all(0 < len(value) <= size for value in taken)
