"""From the request to components that run, over every power cut between (C13, C17, C19, C27).

What was begun is found again in the boot record and in the pending request: `go_on` brings it to its end.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from fob_device.components.boot_record import Ended, Phase
from fob_device.components.equipment import Equipment
from fob_device.components.installer import Wanted
from fob_device.components.machine import Machine
from fob_device.components.offer import Offer
from fob_device.office.configuration import PendingRequest, Requesting, ask_again, fetch_chunk, make_report, send_report
from fob_device.office.directory import Directory
from fob_device.office.progress import Progress, Told
from fob_device.office.steps import Steps
from fob_device.office.store import OfficeStore
from fob_device.office.talker import Talker
from fob_device.office.workshop import Workshop
from fob_protocol.cose import sign1
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Usage
from fob_protocol.office.configuration import Current, Granted, Outcome, Purpose, Report
from fob_protocol.office.conversation import Conversation, Speaker
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.retries import Pauses

WORDS: Final = {
    Purpose.FIRST: "asking for the first configuration",
    Purpose.AGAIN: "asking for the configuration",
    Purpose.LOOK: "looking for upgrades",
}
TRIAL_WORDS: Final = "trying what came"
REPORT_WORDS: Final = "reporting what came of it"

# The office may say yes to the very same later.
_PASSING: Final = frozenset({Refusal.UNAVAILABLE})


class NotInstalledError(Exception):
    """A set that was granted does not run; the old one does. `reason` is the name of the rule."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Configuring:
    """One of them at a time. Methods raise what `Talker.hold` raises, and PowerCutError."""

    def __init__(
        self,
        store: OfficeStore,
        device: Equipment,
        machine: Machine,
        workshop: Workshop,
        talker: Talker,
        directory: Directory,
        progress: Progress,
        random: Random,
        started: asyncio.Event,
        changed: Callable[[], None],
    ) -> None:
        """`started` is clear while components are started; `changed` hears when another set may run."""
        self._store = store
        self._device = device
        self._machine = machine
        self._workshop = workshop
        self._talker = talker
        self._directory = directory
        self._progress = progress
        self._random = random
        self._started = started
        self._changed = changed
        self._requesting = Requesting(device, store.variant(), store.next_counter, store.keep_request)

    @property
    def is_unfinished(self) -> bool:
        """Whether something was begun that `go_on` ends."""
        record = self._machine.boot.record
        return record.phase is not Phase.IDLE or record.ended is not None

    async def power_on(self) -> None:
        """The set that is to run, runs; a trial that is well is confirmed."""
        if self._machine.boot.record.phase in (Phase.STAGED, Phase.TRIAL):
            self._progress.tell(Told(TRIAL_WORDS))
        self._started.clear()
        try:
            await self._workshop(self._power_on)
        finally:
            self._started.set()
        self._changed()
        record = self._machine.boot.record
        if record.confirmed is not None and not self._store.is_configured():
            self._store.keep_configured()

    def tidy(self) -> None:
        """At a start: what was kept for something that has happened since is worth nothing."""
        record = self._machine.boot.record
        if record.phase is not Phase.IDLE:
            self._store.forget_request()
        if record.ended is None and self._store.pending_report() is not None:
            self._store.keep_report(None)

    async def go_on(self, pauses: Pauses) -> None:
        """What was begun, to its end: fetched, tried, reported."""
        await self._install(pauses)
        await self._report(pauses)

    async def configure(self, purpose: Purpose, pauses: Pauses) -> None:
        """Ask, and let what is granted run. Raises NotInstalledError too."""
        await self._install(pauses)
        await self._directory.ask(pauses)
        answer, pending = await self._ask(purpose, pauses)
        if isinstance(answer, Granted) and purpose is not Purpose.LOOK:
            await self._take(answer, pending)
            self._store.forget_request()
            await self._install(pauses)
            self._check_installed()
        elif purpose is not Purpose.LOOK:
            self._store.keep_configured()
        self._store.forget_request()
        self._store.keep_notices(answer.notices, self._machine.boot.record.catalogue)

    async def _ask(self, purpose: Purpose, pauses: Pauses) -> tuple[Granted | Current, PendingRequest]:
        """A request that may have been sent before goes first, as it is."""
        pending = self._store.pending_request()
        if pending is not None and (pending.purpose is not purpose or not self._holds(pending)):
            self._store.forget_request()
            pending = None
        told = Told(WORDS[purpose])
        try:
            answer = await self._talker.hold(self._conversation(purpose, pending), told, pauses)
        except RefusedError as error:
            if error.refusal not in _PASSING:
                self._store.forget_request()
            raise
        asked = self._store.pending_request()
        assert asked is not None  # noqa: S101 - kept before it was sent
        return answer, asked

    def _conversation(self, purpose: Purpose, pending: PendingRequest | None) -> Conversation[Granted | Current]:
        """Raises OfficeError when the server's certificate does not hold."""
        if pending is not None:
            return ask_again(self._speaker(pending.certificate), pending)
        certificate = self._directory.signed_certificate
        record, damaged = self._machine.boot.record, self._machine.running.damaged
        return self._requesting.ask(self._speaker(certificate), certificate, purpose, record, damaged)

    def _holds(self, pending: PendingRequest) -> bool:
        try:
            self._speaker(pending.certificate)
        except OfficeError:
            return False
        return True

    async def _take(self, granted: Granted, pending: PendingRequest) -> None:
        offer = Offer(pending.certificate, granted.octets())
        trust = self._talker.known.now(self._talker.now)
        try:
            plan = await self._workshop(lambda: self._machine.installer.take(offer, pending.challenge, trust))
        except OfficeError:
            self._store.forget_request()
            raise
        self._talker.learn(self._talker.known.with_trust(plan.trust))

    async def _install(self, pauses: Pauses) -> None:
        """Fetch what is missing and try it."""
        if self._machine.boot.record.phase is Phase.FETCHING:
            await self._fetch(pauses)
        if self._machine.boot.record.phase in (Phase.STAGED, Phase.TRIAL):
            await self.power_on()

    async def _fetch(self, pauses: Pauses) -> None:
        trust = self._talker.known.now(self._talker.now)
        plan = await self._workshop(lambda: self._machine.installer.resume(trust))
        if plan is None:
            return
        speaker = self._speaker(plan.offer.certificate)
        titles = {item.entry.release: item.release.title for item in plan.items}
        steps = Steps(plan.items)
        missing = await self._workshop(self._machine.installer.wanted)
        for place, wanted in enumerate(missing):
            told = Told(f"fetching {titles[wanted.release]}", steps.done(missing[place:]), steps.total)
            conversation = fetch_chunk(speaker, plan.opened.granted.ticket, wanted)
            await self._fetch_one(conversation, wanted, told, pauses)
        self._progress.tell(Told(TRIAL_WORDS, steps.total, steps.total))
        trust = self._talker.known.now(self._talker.now)
        await self._workshop(lambda: self._machine.installer.stage(trust))

    async def _fetch_one(self, conversation: Conversation[bytes], wanted: Wanted, told: Told, pauses: Pauses) -> None:
        try:
            chunk = await self._talker.hold(conversation, told, pauses)
        except RefusedError as error:
            if error.refusal not in _PASSING:
                await self._workshop(partial(self._machine.installer.give_up, error.refusal))
            raise
        await self._workshop(lambda: self._machine.installer.add(wanted, chunk))
        pauses.begin_anew()

    async def _report(self, pauses: Pauses) -> None:
        record = self._machine.boot.record
        if record.ended is None:
            return
        report = self._store.pending_report()
        if report is None or not _is_about(report, record.ended):
            report = make_report(self._device, self._store.next_counter(), record.ended, record)
            self._store.keep_report(report)
        certificate = self._directory.signed_certificate
        await self._talker.hold(send_report(self._speaker(certificate), report), Told(REPORT_WORDS), pauses)
        # First this one: a report that is told twice is told of the same set.
        await self._workshop(self._machine.boot.reported)
        self._store.keep_report(None)

    def _power_on(self) -> None:
        if self._machine.power_on().trial:
            self._machine.loader.confirm()

    def _check_installed(self) -> None:
        ended = self._machine.boot.record.ended
        if ended is not None and ended.outcome is not Outcome.CONFIRMED:
            raise NotInstalledError(ended.reason)

    def _speaker(self, certificate: bytes) -> Speaker:
        """Raises OfficeError."""
        trust = self._talker.known.now(self._talker.now)
        return Speaker(trust.check(certificate, self._device.server, Usage.CONFIGURATION), self._random)


def _is_about(report: bytes, ended: Ended) -> bool:
    said = read(Report, sign1.unverified_payload(report))
    return Ended(said.set_number, said.outcome, said.reason) == ended
