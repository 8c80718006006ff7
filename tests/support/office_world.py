"""A phone that a factory made a device, a paired PC, and an office at which the PC posts what it relays."""

import asyncio
from pathlib import Path

from fob_device.approval.questions import Decider
from fob_device.approval.rules import Rules
from fob_device.line.phone_lines import PhoneLines
from fob_device.memory import Memory
from fob_device.office.factory import factory_record, make_equipment, save_equipment
from fob_device.office.switching import connect_office
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer, Event
from fob_protocol.at.command import Command, Verb
from fob_protocol.at.values import Value, Values
from fob_protocol.relay import RelayStatus, Waiting
from support.device_bench import SERIAL
from support.office_signers import HARDWARE, public
from support.reference_office import ReferenceOffice
from support.world import ROOT_KEY, World


class OfficeWorld(World):
    """`relaying`: what this PC does with questions that wait; with `status` it says that it could not."""

    def __init__(self, folder: Path, office: ReferenceOffice, decider: Decider, made: bool = True) -> None:
        super().__init__(folder, 1, decider)
        self.office = office
        self.said: list[str] = []
        self.events: list[Event] = []
        self.status = RelayStatus.ANSWERED
        self.relayed = 0
        if made:
            self._make()
            self.connect()

    @classmethod
    async def made(
        cls, folder: Path, office: ReferenceOffice, decider: Decider | None = None, made: bool = True
    ) -> "OfficeWorld":
        """Paired and connected; nothing is relayed before `relaying`."""
        world = cls(folder, office, decider or Rules(), made)
        await world.begin()
        world.manager.subscribe(world.events.append)
        return world

    def connect(self) -> None:
        """The phone is switched on with its back office."""
        connect_office(self.phone, self._folder / "components", None, self.said.append, self.random.randbytes)

    def restart_phone(self) -> None:
        """As a power cut does it."""
        super().restart_phone()
        self.connect()

    def lines(self) -> PhoneLines:
        """Of the phone that is on now."""
        return PhoneLines(self.phone)

    async def ask(self, spec: catalogue.CommandSpec, *values: Value) -> Answer:
        """A command, as long as it takes."""
        return await self.manager.request(spec.build(*values), timeout=600)

    async def run(self, name: str, *values: Value) -> Answer:
        """A component's command."""
        return await self.manager.request(Command(name, Verb.SET if values else Verb.EXECUTE, values), timeout=60)

    def relaying(self) -> "asyncio.Task[None]":
        """From now on the PC carries what waits."""
        return asyncio.get_running_loop().create_task(self._relay())

    async def close(self) -> None:
        """The end of this world."""
        self.phone.lose_power()
        await super().close()

    def _make(self) -> None:
        issuer, certificate = public(self.office.signers.issuer), self.office.signers.configuration.signed
        device = make_equipment(issuer, certificate, SERIAL, HARDWARE, self.random.randbytes)
        save_equipment(self.phone.memory.office_items, device, factory_record(device, "Meter"))
        self.office.device = device

    async def _relay(self) -> None:
        announced: asyncio.Queue[Values] = asyncio.Queue()
        self.manager.subscribe(
            lambda event: announced.put_nowait(event.values) if event.name == catalogue.EVENT_RELAY else None
        )
        values: Values = ()
        while True:
            # One that came with its announcement is not asked for.
            answer = Answer((values,)) if values else await self.ask(catalogue.RELAY)
            while answer.lines:
                answer = await self._post(Waiting.from_values(answer.lines[0]))
            values = await announced.get()

    async def _post(self, waiting: Waiting) -> Answer:
        self.relayed += 1
        if self.status is not RelayStatus.ANSWERED:
            return await self.ask(catalogue.RELAYED, waiting.number, int(self.status))
        try:
            answered = self.office.answer(waiting.service, waiting.question)
        except ValueError:
            return await self.ask(catalogue.RELAYED, waiting.number, int(RelayStatus.NOT_ANSWERED))
        return await self.ask(catalogue.RELAYED, waiting.number, int(RelayStatus.ANSWERED), answered)


def forget_item(folder: Path, item: str, office: ReferenceOffice) -> None:
    """The phone's file loses an item that the factory gave; the phone is off."""
    memory = Memory.open(
        folder / "token.db", root_key=ROOT_KEY, random=office.signers.random.randbytes, clock=lambda: 0.0
    )
    memory.office_items.put({f"factory/{item}": None})
    memory.close()
