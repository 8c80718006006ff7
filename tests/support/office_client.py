"""A device that registers and holds sessions, strictly by docs/office-protocol.md. The office hears of it here too."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fob_office.devices.service import enter, is_active
from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.headers import key_id
from fob_protocol.cose.labels import Label
from fob_protocol.office import envelope
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.directory import ListServers, Servers
from fob_protocol.office.entitlements import (
    Entitlements,
    EntitlementsAnswer,
    GetEntitlements,
    Use,
    Used,
    read_entitlements,
)
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.factory import FactoryRecord
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message, MessageT, read
from fob_protocol.office.registration import (
    GetTemplate,
    Register,
    RegisterAnswer,
    Reply,
    Request,
    Template,
    TemplateAnswer,
    authentication_key,
    open_reply,
)
from fob_protocol.office.session import (
    Direction,
    Open,
    Opened,
    Prove,
    Proved,
    Said,
    Say,
    ServerProof,
    SessionKeys,
    Transcript,
    agree,
    client_proof,
)
from fob_protocol.office.trust import Trust
from support.office import OfficeScene

# A sealed question to a service in, the sealed answer out; raises whatever goes wrong on the way.
Send = Callable[[Service, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Form:
    """A template that a person may fill in, and what it came with."""

    certificate: Certificate
    signed_certificate: bytes
    template: Template
    signed_template: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """A request under way: kept until its reply is there, and sent again as it is."""

    form: Form
    request: bytes
    ssk1: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Shared:
    """What a device keeps of a registration, under its PIN."""

    server: str
    user_code: bytes
    access_path: str
    key: bytes = field(repr=False)


class ReferenceDevice:
    """Made with an issuer's public key and the certificate of a configuration server, and nothing else (R4)."""

    def __init__(
        self, issuer: bytes, configuration: bytes, send: Send, clock: Callable[[], int], seed: int = 1
    ) -> None:
        self.random = Random(seed).randbytes
        self.send = send
        self.system_key = Ed25519PrivateKey.from_private_bytes(self.random(32))
        self.trust = Trust(issuer)
        self.certificates = {"configuration": configuration}
        self.shared: dict[str, Shared] = {}
        self.entitlements: dict[str, Entitlements] = {}
        self._clock = clock

    @property
    def signing_key(self) -> bytes:
        """Public, raw."""
        return self.system_key.public_key().public_bytes_raw()

    def ask(self, service: Service, server: str, usage: Usage, body: Message | bytes, kind: type[MessageT]) -> MessageT:
        """A question to a server that is trusted now. Raises OfficeError, RefusedError."""
        self.trust = self.trust.at(self._clock())
        certificate = self.trust.check(self.certificates[server], server, usage)
        octets = body if isinstance(body, bytes) else body.octets()
        asked = envelope.ask(certificate, service, octets, self.random)
        answer = asked.open(self.send(service, asked.sealed))
        self.trust = self.trust.at(answer.time)
        return read(kind, answer.body)

    def learn_servers(self) -> None:
        """From the directory: the list first, and then every certificate by it."""
        servers = self.ask(Service.DIRECTORY, "configuration", Usage.CONFIGURATION, ListServers(), Servers)
        trust = self.trust.with_list(servers.revocations)
        learned = {}
        for signed in servers.certificates:
            for usage in Usage:
                try:
                    certificate = trust.check(signed, None, usage)
                except OfficeError as error:
                    if error.fault is Fault.OTHER_USAGE:
                        continue
                    raise
                learned[certificate.server] = signed
        self.trust, self.certificates = trust, self.certificates | learned

    def get_form(self, server: str) -> Form:
        """Checked, the certificate first (R9, R10)."""
        got = self.ask(Service.REGISTRATION, server, Usage.REGISTRATION, GetTemplate(), TemplateAnswer)
        return self.check_form(server, got)

    def check_form(self, server: str, got: TemplateAnswer) -> Form:
        """Nothing is stored before all of it holds. Raises OfficeError."""
        certificate = self.trust.check(got.certificate, server, Usage.REGISTRATION)
        try:
            octets = sign1.verify(certificate.signing_key, Label.REGISTRATION_TEMPLATE, [], got.template)
        except CoseError as error:
            raise OfficeError(Fault.WRONG_SIGNATURE, str(error)) from None
        template = read(Template, octets)
        if template.server != server:
            raise OfficeError(Fault.OTHER_SERVER, f"a template of {template.server}")
        if template.until < self.trust.time:
            raise OfficeError(Fault.EXPIRED, "the template is over")
        self.trust = self.trust.with_certificate(certificate)
        self.certificates[server] = got.certificate
        return Form(certificate, got.certificate, template, got.template)

    def draft(self, form: Form, fields: Mapping[str, str]) -> Draft:
        """A request, signed for this certificate and template; SSK1 is made for it (R12)."""
        ssk1 = self.random(32)
        request = Request(self.random(16), self.signing_key, ssk1, dict(fields))
        context = [digest(form.signed_certificate), digest(form.signed_template)]
        return Draft(form, sign1.sign(self.system_key, Label.REGISTRATION_REQUEST, context, request.octets()), ssk1)

    def submit(self, draft: Draft) -> Reply:
        """Sends a request; may be called again with the same one. K is kept, SSK1 and SSK2 are not (R15)."""
        server = draft.form.certificate.server
        message = Register(draft.request)
        got = self.ask(Service.REGISTRATION, server, Usage.REGISTRATION, message, RegisterAnswer)
        reply = open_reply(got.reply, draft.ssk1, draft.request, draft.form.template.form)
        key = authentication_key(
            server, reply, draft.ssk1, certificate=draft.form.signed_certificate,
            template=draft.form.signed_template, request=draft.request,
        )  # fmt: skip
        self.shared[server] = Shared(server, reply.user_code, reply.access_path, key)
        return reply

    def register(self, name: str, server: str = "registration", **fields: str) -> Shared:
        """All of it, up to the first session, which confirms it."""
        if server not in self.certificates:
            self.learn_servers()
        self.submit(self.draft(self.get_form(server), {"name": name} | fields))
        self.session(server)
        return self.shared[server]

    def begin(self, server: str = "registration") -> "DeviceSession":
        """A session with nothing said in it."""
        return DeviceSession(self, self.shared[server])

    def session(self, server: str = "registration") -> "DeviceSession":
        """A session that both sides have proved."""
        session = self.begin(server)
        session.open()
        session.prove()
        return session


class DeviceSession:
    """One session, step by step; each step may be repeated until it is answered."""

    def __init__(self, device: ReferenceDevice, shared: Shared) -> None:
        self._device = device
        self._shared = shared
        self.private = X25519PrivateKey.from_private_bytes(device.random(32))
        self.number = 0
        self.opened: Opened | None = None
        self.keys: SessionKeys | None = None
        self.challenge = device.random(16)
        self.pending: bytes | None = None

    def ask(self, body: Message | bytes, kind: type[MessageT]) -> MessageT:
        """A question to this session's server."""
        return self._device.ask(Service.SESSION, self._shared.server, Usage.REGISTRATION, body, kind)

    def open(self) -> Opened:
        """Gets the server's challenge."""
        message = Open(self._shared.user_code, self.private.public_key().public_bytes_raw())
        self.opened = self.ask(message, Opened)
        return self.opened

    @property
    def transcript(self) -> Transcript:
        """T before its digest."""
        assert self.opened is not None
        return Transcript(
            self._shared.server, self._shared.user_code, self.opened.session,
            self.private.public_key().public_bytes_raw(), self.opened.key, self.opened.challenge, self.challenge,
        )  # fmt: skip

    @property
    def proof(self) -> Prove:
        """The device's."""
        assert self.opened is not None
        return Prove(self.opened.session, self.challenge, client_proof(self._shared.key, self.transcript))

    def prove(self) -> None:
        """Proves, and checks the server's proof (R19). Raises OfficeError WRONG_PROOF."""
        assert self.opened is not None
        shared = agree(self.private, self.opened.key)
        keys = SessionKeys.agreed(self._shared.key, shared, self.transcript)
        self.check_server(keys, self.ask(self.proof, Proved))

    def check_server(self, keys: SessionKeys, proved: Proved) -> None:
        """Only then the session is good."""
        proof = read(ServerProof, keys.unseal(Direction.TO_DEVICE, 0, proved.sealed))
        if proof.challenge != self.challenge:
            raise OfficeError(Fault.WRONG_PROOF, "the proof is for another challenge")
        self.keys = keys

    def seal(self, message: Message, number: int | None = None) -> bytes:
        """The body of the next message, or of any other."""
        assert self.keys is not None
        number = number or self.number + 1
        sealed = self.keys.seal(Direction.TO_SERVER, number, message.octets())
        return Say(self.keys.session, number, sealed).octets()

    def say(self, message: Message, kind: type[MessageT]) -> MessageT:
        """A message and its answer. What was not answered is sent again as it was, before anything else is said."""
        assert self.keys is not None
        self.pending = self.pending or self.seal(message)
        said = self.ask(self.pending, Said)
        answer = read(kind, self.keys.unseal(Direction.TO_DEVICE, self.number + 1, said.sealed))
        self.number, self.pending = self.number + 1, None
        return answer

    def refused(self) -> None:
        """A refusal uses the message's number up, if the session goes on."""
        self.number, self.pending = self.number + 1, None

    def get_entitlements(self, computer: bytes | None = None) -> Entitlements:
        """Taken as a device takes them (R21)."""
        device = self._device
        held = device.entitlements.get(self._shared.server)
        version = held.version if held is not None else 0
        answer = self.say(GetEntitlements(computer, version), EntitlementsAnswer)
        certificate = device.trust.check(
            device.certificates[self._shared.server], self._shared.server, Usage.ENTITLEMENT
        )
        taken = read_entitlements(
            certificate, answer.entitlements, user_code=self._shared.user_code,
            device=key_id(device.signing_key), held=version, time=device.trust.time,
        )  # fmt: skip
        device.entitlements[self._shared.server] = taken
        return taken

    def use(self, application: str, path: str, body: bytes = b"", computer: bytes | None = None) -> Used:
        """A request to an application. Raises RefusedError."""
        return self.say(Use(computer, application, path, body), Used)


def with_key(shared: Shared, key: bytes) -> Shared:
    """The same registration with another K."""
    return replace(shared, key=key)


def stranger_of(scene: OfficeScene, seed: int = 1) -> ReferenceDevice:
    """A device that a scene's office has never heard of."""
    configuration = scene.signed_certificate("configuration")
    return ReferenceDevice(scene.issuer, configuration, scene.answering.answer, lambda: scene.clock.time, seed)


def device_of(scene: OfficeScene, seed: int = 1) -> ReferenceDevice:
    """A device of a scene's office, fresh from the factory: with a record, and without an order."""
    return devices_of(scene, [seed])[0]


def devices_of(scene: OfficeScene, seeds: Sequence[int]) -> list[ReferenceDevice]:
    """As many, whose records come at once."""
    devices = [stranger_of(scene, seed) for seed in seeds]
    with scene.office.database.write() as session:
        for seed, device in zip(seeds, devices, strict=True):
            if not is_active(session, device.signing_key):
                enter(session, scene.office, factory_record(device, f"P-{seed:04}"), "test")
    return devices


def factory_record(device: ReferenceDevice, serial: str) -> FactoryRecord:
    """What a factory would say of it; it has no memory that anything is placed in."""
    return FactoryRecord(serial, "meter-1", serial, device.signing_key, bytes(32), bytes(32), ())
