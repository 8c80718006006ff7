"""A device as an office meets it: made of the protocol alone, and strict about all that is specified."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.headers import key_id
from fob_protocol.office import envelope
from fob_protocol.office.authorisation import authorisation_code
from fob_protocol.office.certificate import Certificate, Usage, read_certificate
from fob_protocol.office.component import Component, Kind
from fob_protocol.office.configuration import (
    ChallengeAnswer,
    Chunk,
    Configure,
    Current,
    GetChallenge,
    GetChunk,
    Granted,
    Outcome,
    Purpose,
    Report,
    Reported,
    Request,
    SendReport,
    Variant,
    seal_identifier,
    sign_report,
    sign_request,
)
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.factory import FactoryRecord, Region, RegionUse, authorisation_key
from fob_protocol.office.hashing import digest, is_same
from fob_protocol.office.limits import COUNTER_STEP, SET_LIMIT
from fob_protocol.office.manifest import Entry, Manifest, read_manifest
from fob_protocol.office.message import Message, Version, read, read_one_of
from fob_protocol.office.release import Release, check_chunk, open_content, read_release, unwrap_key
from fob_protocol.office.trust import Trust

# Sealed octets to a service, and its sealed answer.
Carry = Callable[[Service, bytes], bytes]

HARDWARE: Final = "meter-1"
REGIONS: Final = (
    Region("code", 0x10000, 1 << 20, RegionUse.MODULES),
    Region("data", 0x800000, 9 << 20, RegionUse.DATA),
)
_USES: Final = {Kind.MODULE: RegionUse.MODULES, Kind.DATA: RegionUse.DATA}


@dataclass(frozen=True)
class Item:
    """A component of a set, checked."""

    entry: Entry
    release: Release
    digest: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Plan:
    """A set that was checked, with the ticket for its contents."""

    manifest: Manifest
    items: tuple[Item, ...]
    ticket: bytes

    @property
    def catalogue(self) -> tuple[Component, ...]:
        """What the device holds with it."""
        return tuple(sorted((item.release.component for item in self.items), key=lambda component: component.id))


class OfficeDevice:
    """Its own keys; what it holds; and the conversation, in whole or step by step."""

    def __init__(
        self, serial: str, carry: Carry, issuer: bytes, certificate: bytes, clock: Callable[[], int],
        *, hardware: str = HARDWARE, regions: Sequence[Region] = REGIONS,
    ) -> None:  # fmt: skip
        self.serial = serial
        self.hardware = hardware
        self.regions = tuple(regions)
        self.carry = carry
        self.issuer = issuer
        self.clock = clock
        self.random = Random(serial)
        self.system_key = Ed25519PrivateKey.from_private_bytes(self.random.randbytes(32))
        self.sealing_key = X25519PrivateKey.from_private_bytes(self.random.randbytes(32))
        self.authorisation_key = authorisation_key(self.random.randbytes(32), serial)
        self.server: Certificate = read_certificate(issuer, certificate)
        self.counter = 0
        self.set_number = 0
        self.security_counter = 0
        self.catalogue: tuple[Component, ...] = ()
        self.contents: dict[str, bytes] = {}

    @property
    def public_key(self) -> bytes:
        """The system key's."""
        return self.system_key.public_key().public_bytes_raw()

    def factory_record(self) -> FactoryRecord:
        """What the factory says."""
        sealing = self.sealing_key.public_key().public_bytes_raw()
        return FactoryRecord(
            self.serial, self.hardware, "A meter", self.public_key, sealing, self.authorisation_key, self.regions
        )

    def sealed_record(self) -> bytes:
        """As the factory hands it to the office."""
        return self.factory_record().sealed(self.system_key, self.server.sealing_key)

    def say(self, service: Service, message: Message | bytes) -> bytes:
        """Ask, and open the answer; its body. Raises OfficeError, RefusedError."""
        octets = message if isinstance(message, bytes) else message.octets()
        asked = envelope.ask(self.server, service, octets, self.random.randbytes)
        return asked.open(self.carry(service, asked.sealed)).body

    def challenge(self) -> bytes:
        """A new one."""
        return read(ChallengeAnswer, self.say(Service.CONFIGURATION, GetChallenge())).challenge

    def request(
        self, challenge: bytes, purpose: Purpose = Purpose.FIRST, variant: Variant = Variant.SEALED_IDENTIFIER,
        *, serial: str | None = None, **changes: object,
    ) -> Configure:  # fmt: skip
        """The next request, signed; with `serial` it shows another one, and `changes` lie about the rest."""
        self.counter += 1
        shown = self.serial if serial is None else serial
        is_sealed = variant is Variant.SEALED_IDENTIFIER
        identifier = seal_identifier(self.server.sealing_key, challenge, shown) if is_sealed else None
        request = Request(
            purpose, self.public_key, identifier, challenge, self.counter, self.hardware, self.set_number,
            self.security_counter, self.catalogue,
        )  # fmt: skip
        return Configure(variant, sign_request(self.system_key, variant, shown, replace(request, **changes)))

    def answer_to(self, message: Configure) -> Granted | Current:
        """Of the office. Raises OfficeError, RefusedError."""
        answer = read_one_of((Granted, Current), self.say(Service.CONFIGURATION, message))
        assert isinstance(answer, Granted | Current)
        return answer

    def ask(
        self, purpose: Purpose = Purpose.FIRST, variant: Variant = Variant.SEALED_IDENTIFIER
    ) -> tuple[Granted | Current, bytes]:
        """Challenge and request; the answer, and the challenge that it is for."""
        challenge = self.challenge()
        return self.answer_to(self.request(challenge, purpose, variant)), challenge

    def configure(
        self, purpose: Purpose = Purpose.FIRST, variant: Variant = Variant.SEALED_IDENTIFIER
    ) -> Granted | Current:
        """All of it: ask, check, fetch, install, report."""
        answer, challenge = self.ask(purpose, variant)
        if isinstance(answer, Granted):
            plan = self.check(answer, challenge)
            self.install(plan, {item.release.id: self.fetch(plan, item) for item in plan.items})
            self.report(Outcome.CONFIRMED)
        return answer

    def fetch(self, plan: Plan, item: Item) -> bytes:
        """A content, checked chunk by chunk and as a whole. Raises OfficeError, RefusedError."""
        sealed = b""
        for index in range(len(item.release.chunks)):
            chunk = self.chunk(plan.ticket, item.digest, index)
            check_chunk(item.release, index, chunk)
            sealed += chunk
        return open_content(item.release, sealed, item.key)

    def chunk(self, ticket: bytes, release: bytes, index: int) -> bytes:
        """One, as it comes. Raises RefusedError."""
        return read(Chunk, self.say(Service.CONTENT, GetChunk(ticket, release, index))).data

    def install(self, plan: Plan, contents: dict[str, bytes]) -> None:
        """Confirmed at once."""
        self.contents = contents
        self.catalogue = plan.catalogue
        self.set_number = plan.manifest.set_number
        self.security_counter = plan.manifest.security_counter

    def report(self, outcome: Outcome, set_number: int | None = None, reason: str = "") -> bytes:
        """Say what became of a set; what was said, to say it again."""
        self.counter += 1
        number = self.set_number if set_number is None else set_number
        signed = sign_report(
            self.system_key,
            Report(
                self.public_key, self.counter, number, outcome, reason, self.security_counter, self.catalogue
            ),
        )  # fmt: skip
        self.send_report(signed)
        return signed

    def send_report(self, signed: bytes) -> None:
        """Raises RefusedError."""
        read(Reported, self.say(Service.REPORT, SendReport(signed)))

    def check(self, granted: Granted, challenge: bytes) -> Plan:
        """Every rule of section 6.3 that is the office's to keep. Raises OfficeError."""
        trust = Trust(self.issuer, self.clock())
        manifest = read_manifest(self.server, granted.manifest, key_id(self.public_key), challenge)
        makers = {}
        for signed in granted.release_certificates:
            certificate = trust.check(signed, None, Usage.RELEASE)
            makers[key_id(certificate.signing_key)] = certificate
        releases = [_released(makers, signed) for signed in granted.releases]
        _check(len(granted.releases) == len(granted.keys) == len(manifest.entries), Fault.MIX_AND_MATCH)
        items = tuple(
            Item(entry, release, digest(signed), unwrap_key(key, self.sealing_key, signed))
            for entry, release, signed, key in zip(
                manifest.entries, releases, granted.releases, granted.keys, strict=True
            )
        )
        self._check_manifest(manifest)
        for item in items:
            self._check_item(item, manifest)
        self._check_set(items)
        _check_needed(items)
        plan = Plan(manifest, items, granted.ticket)
        code = authorisation_code(self.authorisation_key, self.serial, manifest.set_number, plan.catalogue)
        _check(is_same(code, granted.code), Fault.WRONG_AUTHORISATION)
        return plan

    def _check_manifest(self, manifest: Manifest) -> None:
        _check(manifest.hardware == self.hardware, Fault.OTHER_HARDWARE)
        _check(manifest.issued <= self.clock() <= manifest.until, Fault.EXPIRED)
        _check(manifest.set_number == self.set_number + 1, Fault.SET_ROLLBACK)
        _check(manifest.security_counter >= self.security_counter, Fault.COUNTER_ROLLBACK)
        _check(manifest.security_counter <= self.security_counter + COUNTER_STEP, Fault.COUNTER_TOO_FAR)

    def _check_item(self, item: Item, manifest: Manifest) -> None:
        release = item.release
        held: dict[str, Version] = {component.id: component.version for component in self.catalogue}
        _check((item.entry.component, item.entry.release) == (release.id, item.digest), Fault.MIX_AND_MATCH)
        _check(self.hardware in release.hardware, Fault.OTHER_HARDWARE)
        _check(release.until >= self.clock(), Fault.EXPIRED)
        _check(release.version >= held.get(release.id, (0, 0, 0)), Fault.VERSION_ROLLBACK)
        _check(release.security_counter >= manifest.security_counter, Fault.COUNTER_ROLLBACK)
        _check(release.security_counter <= self.security_counter + COUNTER_STEP, Fault.COUNTER_TOO_FAR)
        _check(all(command.startswith("X") for command in release.commands), Fault.NAME_IN_USE)

    def _check_set(self, items: Sequence[Item]) -> None:
        _check(sum(item.release.size for item in items) <= SET_LIMIT, Fault.TOO_LARGE)
        _check(len({item.release.id for item in items}) == len(items), Fault.DUPLICATE_ID)
        commands = [command for item in items for command in item.release.commands]
        _check(len(set(commands)) == len(commands), Fault.NAME_IN_USE)
        regions = {region.name: region for region in self.regions}
        end = 0
        for item in sorted(items, key=lambda item: (item.entry.start, item.release.size)):
            region, start = regions[item.entry.region], item.entry.start
            _check(region.use is _USES[item.release.kind], Fault.OUT_OF_RANGE)
            _check(region.start <= start, Fault.OUT_OF_RANGE)
            _check(start + item.release.size <= region.start + region.size, Fault.OUT_OF_RANGE)
            _check(start >= end, Fault.OVERLAP)
            end = start + item.release.size


def _released(makers: dict[bytes, Certificate], signed: bytes) -> Release:
    try:
        maker = makers.get(sign1.signer_of(signed))
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, str(error)) from None
    if maker is None:
        raise OfficeError(Fault.WRONG_SIGNATURE, "signed by nobody who has a certificate")
    return read_release(maker, signed)


def _check_needed(items: Sequence[Item]) -> None:
    _check(sorted(item.entry.order for item in items) == list(range(1, len(items) + 1)), Fault.WRONG_ORDER)
    by_id = {item.release.id: item for item in items}
    for item in items:
        for needed in item.release.dependencies:
            _check(needed.id in by_id, Fault.MISSING_DEPENDENCY)
            _check(by_id[needed.id].release.version >= needed.least, Fault.MISSING_DEPENDENCY)
            _check(by_id[needed.id].entry.order < item.entry.order, Fault.WRONG_ORDER)


def _check(holds: bool, fault: Fault) -> None:
    if not holds:
        raise OfficeError(fault, "the reference device refuses it")
