"""This computer's own copy of fobd: validated at each start and at intervals; keys are used while it is enabled.

A computer that nobody has enrolled pays nothing: what knows the protocol is loaded when there is something to keep.
"""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from fob_daemon.config import OfficeSettings
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.integrity_reports import OWN_PROGRAM, OwnCopyReport
from fob_daemon.integrity.files import STATE_FILE
from fob_daemon.integrity.words import NOT_VALIDATED, own_words
from fob_daemon.relay.outcome import Office
from fob_daemon.version import own_version
from fob_protocol.office.trusted_time import passed_time
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

if TYPE_CHECKING:
    from fob_daemon.integrity.validating import Validating

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_ENROL: Final = "fob integrity enrol"
_CONFIGURATION: Final = "set it in fobd.toml (docs/configuration.md), or give it to: fob integrity enrol"

Clock = Callable[[], float]


class OwnCopy:
    """Implements OwnIntegrity. Made inside the running loop. `passed`: seconds of a clock that nobody sets."""

    def __init__(
        self, settings: OfficeSettings, office: Office, clock: Clock = time.time, passed: Clock = passed_time
    ) -> None:
        self._settings = settings
        self._office = office
        self._clock = clock
        self._passed = passed
        self._folder = Path()
        self._validating: Validating | None = None
        self._running: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()

    async def start(self, folder: Path) -> None:
        """With what is kept in the state folder. Raises ValueError, PermissionsError, OSError."""
        self._folder = folder
        if (folder / STATE_FILE).exists():
            self._validating = await asyncio.to_thread(self._load)
            self._run()

    async def close(self) -> None:
        """The daemon ends; what is under way is found again."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def admit(self) -> None:
        """Before a private key is used. Raises CkrError FUNCTION_REJECTED."""
        validating = self._validating
        if validating is None or (not validating.is_admitted and await self._asked_at_once(validating)):
            return
        if validating.is_unheard:
            validating.want_answer()
            self._wake.set()
        if not validating.is_enabled:
            words, _ = validating.trouble or own_words(NOT_VALIDATED)
            _log.warning("integrity.key_refused", why=words)
            raise CkrError(Ckr.FUNCTION_REJECTED, f"fobd: {words}")

    def report(self) -> OwnCopyReport:
        """As it is now."""
        nobody = OwnCopyReport(OWN_PROGRAM, own_version(), False, "", "", "", None, None, True, "", "")
        validating = self._validating
        if validating is None:
            return nobody
        why, deed = validating.trouble or ("", "")
        if not validating.is_enabled and not why:
            why, deed = own_words(NOT_VALIDATED)
        return replace(
            nobody,
            enrolled=True,
            state=validating.word,
            reason=validating.reason,
            copy=validating.copy.about.copy.hex(),
            validated=validating.copy.validated or None,
            until=validating.until,
            enabled=validating.is_enabled,
            why=why,
            next=deed,
        )

    async def enrol(self, letter: str, issuer: bytes | None, certificate: bytes | None) -> OwnCopyReport:
        """Raises ControlError."""
        what = "fobd was not enrolled"
        key = issuer or self._settings.issuer_key
        if key is None:
            raise ControlError(what, "the office's public key is not known: [office] issuer", _CONFIGURATION)
        if certificate is None:
            certificate = await asyncio.to_thread(self._read_certificate, what)
        async with self._turn:
            validating = await asyncio.to_thread(self._new) if self._validating is None else self._validating
            await validating.enrol(what, letter, key, certificate)
            self._validating = validating
        _log.info("integrity.enrolled", copy=validating.copy.about.copy.hex())
        try:
            return await self.validate()
        finally:
            self._run()

    async def validate(self) -> OwnCopyReport:
        """Measure now, and ask. Raises ControlError."""
        what = f"'{OWN_PROGRAM}' was not validated"
        validating = self._enrolled(what)
        async with self._turn:
            await validating.now()
        self._wake.set()
        if not validating.was_confirmed:
            raise self._refused(what)
        return self.report()

    def ticket(self) -> bytes:
        """Raises ControlError."""
        what = f"there is no ticket of '{OWN_PROGRAM}'"
        ticket = self._enrolled(what).ticket
        if ticket is None:
            raise self._refused(what)
        return ticket

    def present(self, audience: str, nonce: bytes) -> bytes:
        """Raises ControlError."""
        self.ticket()
        return self._enrolled("nothing was presented").keeper.present(audience, nonce)

    def _enrolled(self, what: str) -> "Validating":
        if self._validating is None:
            why = "this computer's fobd is not enrolled"
            raise ControlError(what, why, _ENROL, ExitCode.NOTHING_TO_DO)
        return self._validating

    async def _asked_at_once(self, validating: "Validating") -> bool:
        """For a use that waits: whether the office says yes. Of many that wait one asks.

        What was asked since another one came, and came to an end, is about that one too; what was broken off is not.
        Nor does any wait behind a question that nobody answers, whoever asked it.
        """
        if not validating.may_ask:
            return False
        try:
            async with asyncio.timeout(validating.patience):
                return await self._answered(validating)
        except TimeoutError:
            validating.unanswered()
            self._wake.set()
            return False

    async def _answered(self, validating: "Validating") -> bool:
        begun = validating.begun
        async with self._turn:
            if validating.is_admitted:
                return True
            if validating.ended > begun:
                return validating.ended_well
            if not validating.may_ask:
                return False
            await validating.now()
            self._wake.set()
            return validating.was_confirmed

    def _refused(self, what: str) -> ControlError:
        report = self.report()
        words = own_words(NOT_VALIDATED)
        return ControlError(what, report.why or words[0], report.next or words[1], ExitCode.FAILED)

    def _run(self) -> None:
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._keep_validated())
            self._running.add_done_callback(_tell_of_fault)

    async def _keep_validated(self) -> None:
        """At the start, at intervals, and again when there was no answer."""
        validating = self._enrolled("fobd was not validated")
        while True:
            self._wake.clear()
            if validating.seconds_until_due <= 0:
                async with self._turn:
                    if validating.seconds_until_due <= 0:
                        await validating.now()
                        self._tell(validating)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(validating.seconds_until_due, 0.0)):
                    await self._wake.wait()

    def _tell(self, validating: "Validating") -> None:
        words, _ = validating.trouble or ("", "")
        say = _log.info if validating.was_confirmed else _log.warning
        say("integrity.validated" if validating.was_confirmed else "integrity.not_validated", why=words)

    def _load(self) -> "Validating":
        """In a thread. Raises ValueError, PermissionsError, OSError."""
        from fob_daemon.integrity.enrolled import load

        validating = self._new()
        validating.keeper.use(load(self._folder))
        validating.keeper.load_key()
        validating.measure()
        return validating

    def _new(self) -> "Validating":
        from fob_daemon.integrity.keeper import Keeper
        from fob_daemon.integrity.validating import Validating
        from fob_protocol.integrity.installation import release_of

        version, clock = release_of(own_version()), lambda: int(self._clock())
        keeper = Keeper(self._folder, version, self._office, clock, self._passed, os.urandom)
        return Validating(keeper, self._passed)

    def _read_certificate(self, what: str) -> bytes:
        path = self._settings.certificate
        if path is None:
            why = "there is no certificate of the office's configuration server: [office] certificate"
            raise ControlError(what, why, _CONFIGURATION)
        try:
            return path.read_bytes()
        except OSError as error:
            why = f"{path}: {error.strerror or error}"
            raise ControlError(what, why, "put it there: fob-office server certificate") from None


def _tell_of_fault(task: asyncio.Task[None]) -> None:
    """A mistake of ours ends the asking; uses go on asking each for itself."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        _log.error("integrity.asking_ended", fault=type(fault).__name__)
