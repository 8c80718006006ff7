"""An enrolled computer's conversations about its copy of fobd: enrolling, asking anew, validating."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from fob_daemon.control.integrity_reports import OWN_PROGRAM
from fob_daemon.files import load_secret
from fob_daemon.integrity.asking import hold
from fob_daemon.integrity.enrolled import Enrolled, keep, nobody_known
from fob_daemon.integrity.files import KEY_FILE
from fob_daemon.relay.outcome import Office
from fob_protocol.integrity.challenges import Challenges
from fob_protocol.integrity.distribution import Copies, Holding
from fob_protocol.integrity.held_copy import HeldCopy
from fob_protocol.integrity.holder import Holder
from fob_protocol.integrity.measured import Measured
from fob_protocol.integrity.presentation import Presentation
from fob_protocol.integrity.receiving import Receiver, with_letter
from fob_protocol.integrity.servers import distribution_server, validation_server
from fob_protocol.integrity.validation import State
from fob_protocol.names import plain_name
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Certificate, Usage, read_certificate
from fob_protocol.office.conversation import Conversation, Speaker
from fob_protocol.office.directory import ask_directory
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.known import Known
from fob_protocol.office.message import Version
from fob_protocol.office.trusted_time import TrustedTime

T = TypeVar("T")

_KEY_SIZE: Final = 32


class OtherReleaseError(Exception):
    """What is installed is not the release that the office knows by this version."""


@dataclass(slots=True)
class Keeper:
    """One conversation at a time. `kept` is on the disk; `version` is fobd's. Methods raise what `hold` raises.

    `clock` and `passed` are TrustedTime's.
    """

    folder: Path
    version: Version
    office: Office
    clock: Callable[[], int]
    passed: Callable[[], float]
    random: Random = field(repr=False)
    kept: Enrolled | None = field(default=None)
    _servers: Known | None = field(default=None)
    _signing_key: Ed25519PrivateKey | None = field(default=None, repr=False)
    _challenges: Challenges = field(default_factory=Challenges)
    _time: TrustedTime = field(init=False)

    def __post_init__(self) -> None:
        self._time = TrustedTime(self.clock, self.passed)

    @property
    def copy(self) -> HeldCopy | None:
        """The newest on the disk."""
        return None if self.kept is None else self.kept.copy

    @property
    def now(self) -> int:
        """Seconds since 1970: a clock that is behind makes nothing younger than it is."""
        return self._time.now

    def use(self, kept: Enrolled) -> None:
        """What was loaded. What another office's servers signed says nothing of these."""
        is_other = self.kept is None or self.kept.issuer != kept.issuer
        self.kept, self._servers = kept, kept.servers
        if is_other:
            self._time = TrustedTime(self.clock, self.passed, self._servers.trust.time)

    def load_key(self) -> None:
        """Made at the first enrolment. Raises ValueError, PermissionsError, OSError."""
        secret = load_secret(self.folder / KEY_FILE, _KEY_SIZE, self.random)
        self._signing_key = Ed25519PrivateKey.from_private_bytes(secret)

    async def enrol(self, identifier: bytes, measured: Measured, issuer: bytes, certificate: bytes) -> None:
        """A letter's copy becomes this computer's. Raises OtherReleaseError too.

        Nothing is kept before it is there: the same letter brings the same copy again.
        """
        server = read_certificate(issuer, certificate)
        if Usage.CONFIGURATION not in server.usages:
            raise OfficeError(Fault.OTHER_USAGE, f"it is of '{plain_name(server.server)}'")
        is_known = self.kept is not None and self.kept.issuer == issuer
        known = await self._directory(self._known if is_known else nobody_known(issuer), certificate)
        held = self.copy if is_known else None
        mine = with_letter(held, identifier)
        if mine is None:
            distributor = distribution_server(known, self.clock())
            holding = self._holding(None, measured)
            conversation = self._holder().enrol(Speaker(distributor, self.random), holding, identifier)
            given = await self._received(known, distributor, conversation, holding, measured, None)
            mine = with_letter(given, identifier)
        if mine is None:
            raise OfficeError(Fault.MALFORMED, "the copy of another letter")
        counter = self.kept.counter if self.kept is not None else 0
        await asyncio.to_thread(self._keep, Enrolled(issuer, certificate, known.octets(), counter, mine))

    async def ask_servers(self) -> None:
        """Their newest certificates, and which keys were revoked since."""
        kept = self._enrolled
        server = read_certificate(kept.issuer, kept.certificate).server
        known = await self._directory(self._known, self._known.certificates.get(server, kept.certificate))
        if known != self._servers:
            self._servers = known
            await asyncio.to_thread(self._change)

    async def renew(self, measured: Measured) -> bool:
        """Ask for another copy, where there may be one; False when the office does not know what is installed here."""
        copy = self._enrolled.copy
        holding = self._holding(copy, measured)
        is_other = holding.version != copy.about.version
        is_whole = copy.state is State.INVALID and measured.digest == copy.about.digest
        if not (is_other or copy.wants_another):
            return True
        known, server = self._known, distribution_server(self._known, self.clock())
        await asyncio.to_thread(self._change, counter=self._enrolled.counter + 1)
        replaced = (copy.about.copy,) if is_whole else ()
        conversation = self._holder().ask_copies(
            Speaker(server, self.random), self._enrolled.counter, (holding,), replaced
        )
        taken = await self._received(known, server, conversation, holding, measured, copy)
        if taken is not None and taken != copy:
            await asyncio.to_thread(self._change, copy=taken)
        return taken is not None or not is_other

    async def validate(self, measured: Measured) -> None:
        """What the office says of what was measured now is on the disk."""
        copy = self._enrolled.copy
        server = validation_server(self._known, copy, self.clock())
        await self._hold(self._holder().validate(Speaker(server, self.random), copy, measured))

    def present(self, audience: str, nonce: bytes) -> bytes:
        """The ticket, with the proof that it is this computer's. Raises ValueError."""
        ticket = self._enrolled.copy.ticket
        assert ticket is not None  # noqa: S101 - whoever asks has looked
        return Presentation(ticket).signed(self._key(), audience, nonce)

    @property
    def _enrolled(self) -> Enrolled:
        assert self.kept is not None  # noqa: S101 - whoever asks has looked
        return self.kept

    @property
    def _known(self) -> Known:
        assert self._servers is not None  # noqa: S101 - with `kept`
        return self._servers

    def _holding(self, copy: HeldCopy | None, measured: Measured) -> Holding:
        """What was changed since a copy was given is still measured as that copy."""
        is_held = copy is not None and copy.about.version == self.version
        digest = copy.about.digest if copy is not None and is_held else measured.digest
        return Holding(OWN_PROGRAM, self.version, digest)

    async def _received(
        self,
        known: Known,
        server: Certificate,
        conversation: Conversation[Copies],
        holding: Holding,
        measured: Measured,
        held: HeldCopy | None,
    ) -> HeldCopy | None:
        """Raises OtherReleaseError too: a copy that nothing here measures as is not taken."""
        answer = await hold(self.office, conversation, lambda time: None)
        receiver = Receiver(self._holder().key_id, known.now(self.clock()), lambda program: held)
        taken = receiver.taken(server, answer, [holding]).get(OWN_PROGRAM)
        is_held = taken is not None and taken.about.version == holding.version
        if taken is not None and is_held and taken.about.digest not in (holding.digest, measured.digest):
            raise OtherReleaseError
        return taken

    async def _directory(self, known: Known, certificate: bytes) -> Known:
        """It does not matter whether the certificate still holds: all of the answer is signed by the issuer."""
        speaker = Speaker(read_certificate(known.trust.issuer, certificate), self.random)
        successor = partial(known.successor, speaker.server.server, self.clock())
        servers = await hold(self.office, ask_directory(speaker, successor), lambda time: None)
        return known.with_directory(servers, self.clock())

    async def _hold(self, conversation: Conversation[T]) -> T:
        def note(time: int) -> None:
            self._time.note(time)
            self._servers = self._known.with_time(time)

        return await hold(self.office, conversation, note)

    def _holder(self) -> Holder:
        return Holder(
            self._key(), lambda copy: self._change(copy=copy), self.random, lambda: self.now, self._challenges
        )  # fmt: skip

    def _key(self) -> Ed25519PrivateKey:
        if self._signing_key is None:
            self.load_key()
        assert self._signing_key is not None  # noqa: S101 - as loaded
        return self._signing_key

    def _change(self, **changes: Any) -> None:
        self._keep(replace(self._enrolled, known=self._known.octets(), **changes))

    def _keep(self, enrolled: Enrolled) -> None:
        """On the disk before it counts; in a thread, as disks take their time. Raises OSError."""
        keep(self.folder, enrolled)
        self.use(enrolled)
