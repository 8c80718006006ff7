"""A batch before any of it is paid: opened in its turn, and written down by the daemon, piece by piece."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any, Final

from fob_daemon.cli.context import Fob
from fob_daemon.cli.metering.asking import post
from fob_daemon.cli.metering.words import Report, letters
from fob_daemon.cli.progress import Progress
from fob_daemon.control.errors import BUSY_STATUS, ControlError
from fob_daemon.control.json_form import Json
from fob_daemon.control.meter_requests import PIECES_LIMIT

# Octets of one body: less than the daemon takes (MAX_BODY).
_BODY: Final = 24_000
# Addresses that are told to people.
_SHOWN: Final = 20
# Seconds for which a command waits until another one's batch is being franked, and between two looks.
_TURN_TIME: Final = 600.0
_TURN_PAUSE: Final = 0.5

Pieces = list[dict[str, Any]]


@dataclass
class How:
    """What a batch begins with. `addresses`: as a component wrote them, in the order of the pieces."""

    rates: str
    cleanse: bool
    addresses: list[str] = field(default_factory=list)


def begun(fob: Fob, device: Report, pin_file: str | None, how: How, pieces: Pieces) -> int:
    """A batch with all its pieces, of which none is paid yet. Raises ControlError."""
    number = _opened(fob, device, pin_file, how)
    jobs = ("devices", device["name"], "meter", "jobs")
    try:
        with Progress(fob.output, "Having addresses written" if how.cleanse else "Writing down", len(pieces)) as bar:
            for part in parts_of(pieces):
                body: dict[str, Json] = {"pieces": list(part), "cleanse": how.cleanse}
                added = fob.client.post(*jobs, str(number), "pieces", body=body)
                how.addresses += added.get("addresses", [])
                bar.show(added["total"])
    except (ControlError, KeyboardInterrupt):
        # Half a batch is none to go on with.
        with suppress(ControlError):
            fob.client.delete(*jobs, str(number), body={})
        raise
    _tell_addresses(fob, pieces, how.addresses)
    return number


def _opened(fob: Fob, device: Report, pin_file: str | None, how: How) -> int:
    """A batch of this command's own, once no other command writes one. Raises ControlError."""
    until = monotonic() + _TURN_TIME
    is_told = False
    while True:
        try:
            answer: Report = post(fob, device, pin_file, "jobs", command=how.rates)
        except ControlError as error:
            if error.status != BUSY_STATUS or monotonic() > until:
                raise
            if not is_told:
                fob.output.say(f"{error.why[:1].upper()}{error.why[1:]}; waiting for it ...")
            is_told = True
            sleep(_TURN_PAUSE)
            continue
        if answer["dropped"]:
            earlier = letters(answer["dropped"])
            fob.output.say(f"An earlier batch of {earlier}, of which nothing was franked, is dropped.")
        number: int = answer["job"]
        return number


def _tell_addresses(fob: Fob, pieces: Pieces, addresses: list[str]) -> None:
    """What stands on a piece has to be what its indicium is for."""
    changed = [
        (number, address)
        for number, (piece, address) in enumerate(zip(pieces, addresses, strict=False), 1)
        if piece["address"] != address
    ]
    for number, address in changed[:_SHOWN]:
        fob.output.say(f"Piece {number:,} has to say: {address}")
    if len(changed) > _SHOWN:
        fob.output.say(f"and {letters(len(changed) - _SHOWN)} more; --json has all")


def parts_of(pieces: Pieces) -> Iterator[Pieces]:
    part: Pieces = []
    room = _BODY
    for piece in pieces:
        size = len(json.dumps(piece)) + 2
        if part and (size > room or len(part) == PIECES_LIMIT):
            yield part
            part, room = [], _BODY
        part.append(piece)
        room -= size
    yield part
