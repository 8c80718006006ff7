"""The paired computers, and what their programs may do without asking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fob_device.overview.computers import Computer, GrantView
from fob_device.screen.web.views.deeds import title_with_key
from fob_device.screen.web.views.details import Detail
from fob_device.screen.web.views.status import link_words
from fob_device.screen.web.words import clock, day_and_year, duration, first_upper
from fob_protocol.deeds import asker
from fob_protocol.names import plain_name

_NO_NAME: Final = "(no name)"


@dataclass(frozen=True, slots=True)
class ComputerItem:
    """`id`: its key in hex, the name of its page."""

    id: str
    name: str
    words: str
    is_connected: bool


@dataclass(frozen=True, slots=True)
class GrantItem:
    """`computer`: the id of its computer."""

    computer: str
    number: int
    title: str
    words: str
    left: str


@dataclass(frozen=True, slots=True)
class ComputerPage:
    """One of them; `is_asking`: whether it shall be unpaired."""

    id: str
    name: str
    details: tuple[Detail, ...]
    grants: tuple[GrantItem, ...]
    is_asking: bool


def computer_items(computers: Sequence[Computer]) -> list[ComputerItem]:
    """A row for each."""
    return [
        ComputerItem(
            computer.key.hex(),
            computer.name or _NO_NAME,
            f"Paired {day_and_year(_moment(computer))}",
            computer.is_connected,
        )
        for computer in computers
    ]


def computer_page(computer: Computer, grants: Sequence[GrantView], *, is_asking: bool = False) -> ComputerPage:
    """One computer with its own grants out of `grants`."""
    moment = _moment(computer)
    details = (
        Detail("Paired", f"{day_and_year(moment)}, {clock(moment)}"),
        Detail("Connected", first_upper(link_words(computer))),
        Detail("Its key's fingerprint", computer.fingerprint, is_code=True),
    )
    its = grant_items([grant for grant in grants if grant.pc_key == computer.key])
    return ComputerPage(computer.key.hex(), computer.name or _NO_NAME, details, tuple(its), is_asking)


def grant_items(grants: Sequence[GrantView]) -> list[GrantItem]:
    """A row for each."""
    return [
        GrantItem(
            grant.pc_key.hex(),
            grant.number,
            title_with_key(grant.question.operation.value, grant.question.caller, plain_name(grant.question.key_label)),
            asker(grant.question.caller, grant.pc_name),
            f"{duration(grant.seconds_left)} left",
        )
        for grant in grants
    ]


def _moment(computer: Computer) -> datetime:
    return datetime.fromtimestamp(computer.paired_at).astimezone()
