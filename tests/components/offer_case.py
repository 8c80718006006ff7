"""A good set 7 for a device that has set 6, for tests to spoil."""

from collections.abc import Callable
from typing import Final

import pytest

from fob_device.components.boot_record import BootRecord, Held, Slot
from fob_device.components.equipment import Equipment
from fob_device.components.offer import Offer
from fob_device.components.set_checks import Plan, check_offer
from fob_protocol.office.component import Component, Kind
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.release import Dependency
from fob_protocol.office.trust import Trust
from support.component_device import trust
from support.office_signers import CHALLENGE, NOW, Draft, OfficeSigners, Released

# Set 6, with rates 1.4.0 and security counter 10.
HELD: Final = BootRecord(
    confirmed=Held(Slot.A, 6, bytes(32)),
    security_counter=10,
    catalogue=(Component("rates", (1, 4, 0), bytes(32)),),
)
TABLE: Final = (Dependency("table", (1, 0, 0)),)


class Case:
    """The draft of the set, and what there is to make others of."""

    def __init__(self, signers: OfficeSigners, device: Equipment) -> None:
        self.signers = signers
        self.device = device
        self.table = self.release("table", kind=Kind.DATA)
        self.slogan = self.release("slogan", kind=Kind.DATA)
        self.rates = self.rates_with()
        self.draft: Draft
        self.put(self.table, self.rates)

    def release(self, name: str, **changes: object) -> Released:
        """Of 500 octets."""
        return self.signers.release(name, bytes(500), **({"security_counter": 10} | changes))

    def rates_with(self, **changes: object) -> Released:
        """The rates, which need the table, or something near to them."""
        good: dict[str, object] = {"version": (1, 4, 0), "dependencies": TABLE, "commands": ("XRATE", "XZONE")}
        return self.release("rates", **(good | changes))

    def put(self, *released: Released) -> None:
        """Another set of releases."""
        self.draft = self.signers.draft(self.device, released, set_number=7, security_counter=10)

    def change_rates(self, **changes: object) -> None:
        """Another release of the rates."""
        self.put(self.table, self.rates_with(**changes))

    def add(self, released: Released) -> None:
        """It comes too, without a line in the list."""
        self.draft.released.append(released)

    def offer(self) -> Offer:
        """Signed, sealed and authorised."""
        return self.signers.offer(self.device, self.draft)

    def check(self, *, time: int = NOW, known: Trust | None = None, offer: Offer | None = None) -> Plan:
        """What the device makes of it."""
        return check_offer(offer or self.offer(), self.device, HELD, known or trust(self.device, time), CHALLENGE)

    def fault(self, *, time: int = NOW, known: Trust | None = None, offer: Offer | None = None) -> Fault:
        """By which name it is refused."""
        with pytest.raises(OfficeError) as raised:
            self.check(time=time, known=known, offer=offer)
        return raised.value.fault


Spoil = Callable[[Case], object]


def refusals(*cases: tuple[str, Fault, Spoil]) -> pytest.MarkDecorator:
    """An attack, the name that it is refused by, and how it is made."""
    return pytest.mark.parametrize(
        ("fault", "spoil"), [pytest.param(fault, spoil, id=attack) for attack, fault, spoil in cases]
    )
