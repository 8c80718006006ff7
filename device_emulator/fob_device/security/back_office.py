"""What the phone knows of the device's back office: who answers its commands, and where its person asks."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from fob_device.overview.meter import MeterOverview
from fob_device.overview.office import OfficeOverview
from fob_device.security.context import Context
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Values

Handler = Callable[[Context, Values], Awaitable[Answer]]


class PersonsDesk(Protocol):
    """What the person at the device's own screen asks of the office. What comes of it is in the overview."""

    def configure(self) -> None:
        """What was ordered shall run."""

    def look(self) -> None:
        """Is there something newer?"""

    def open_form(self, server: str) -> None:
        """What a server wants to know."""

    def register(self, server: str, fields: Mapping[str, str], master_key: bytes) -> None:
        """By the form of this server, if it is open."""

    def validate(self) -> None:
        """Are the copies still what was given out?"""

    def enter_letter(self, program: str, letter: str) -> None:
        """What was typed is the letter of a program's copy."""

    def give_up(self) -> None:
        """Wait no more, and close the form."""


class PersonsMeterDesk(Protocol):
    """What the person at the device's own screen asks of a data centre. What comes of it is in the overview."""

    def open_form(self) -> None:
        """What does a meter cost?"""

    def sign_up(
        self, name: str, value_kind: str, payment: int, origins: Sequence[str], password: str, master_key: bytes
    ) -> None:
        """For a new meter."""

    def sign_on(self, name: str, password: str, master_key: bytes) -> None:
        """This device instead of the one before."""

    def look(self, master_key: bytes) -> None:
        """What does the data centre say of the meter?"""

    def set_allowance(self, daily: int) -> None:
        """What may be franked in a day without a question, in the least unit. Raises CkrError."""

    def give_up(self) -> None:
        """Wait no more, and close the form."""


class BackOfficeDoor(Protocol):
    """Commands of docs/protocol.md, sections 4.3 and 4.4, and those of components."""

    @property
    def desk(self) -> PersonsDesk | None:
        """None: the device is not whole."""

    def handler(self, name: str) -> Handler | None:
        """Who answers a command; None: there is no such command now."""

    async def admit_keys(self) -> None:
        """Before a private key is used. Raises CkrError: the device's own program is not as it was given out."""

    @property
    def integrity_value(self) -> bytes:
        """Of the device's own program, as last validated; empty before (V19)."""

    def session_began(self, computer: bytes) -> None:
        """A computer (its static key) is there."""

    def session_ended(self, computer: bytes) -> None:
        """It hung up, or has a newer session."""

    def overview(self) -> OfficeOverview:
        """What a screen shows of it."""

    @property
    def meter_desk(self) -> PersonsMeterDesk | None:
        """None: the device is not whole."""

    def meter_overview(self) -> MeterOverview | None:
        """What a screen shows of the mailer's meter; None where nobody keeps meters."""

    def components(self) -> Sequence[str]:
        """What is installed, by id."""

    def damage(self, component: str) -> None:
        """An octet of what is stored of it is another one: a workbench's doing. Raises OSError."""

    def lose_power(self) -> None:
        """Nothing goes on."""
