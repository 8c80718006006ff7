"""A whole office made from fob_protocol alone, in memory and seeded: what a device speaks to in its own tests.

It is as strict as the specification; a test overrides an attribute, or `spoil`s an answer, to have it lie.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fob_device.components.equipment import Equipment
from fob_protocol.cose import hpke, sign1
from fob_protocol.cose.headers import key_id
from fob_protocol.cose.labels import Label
from fob_protocol.office.certificate import Usage
from fob_protocol.office.configuration import (
    ChallengeAnswer,
    Chunk,
    Configure,
    Current,
    GetChallenge,
    GetChunk,
    Granted,
    Identifier,
    Notice,
    Purpose,
    Report,
    Reported,
    Request,
    SendReport,
    Variant,
    read_report,
    request_context,
    unverified_request,
)
from fob_protocol.office.directory import ListServers, Servers
from fob_protocol.office.entitlements import (
    Entitlements,
    EntitlementsAnswer,
    GetEntitlements,
    State,
    Use,
    Used,
)
from fob_protocol.office.envelope import Question, Refused, Service, open_question, seal_answer
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.hashing import digest, is_same
from fob_protocol.office.message import Message, read, read_one_of
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.registration import (
    NAME,
    Field,
    Form,
    GetTemplate,
    Register,
    RegisterAnswer,
    Reply,
    Template,
    TemplateAnswer,
    authentication_key,
    seal_reply,
)
from fob_protocol.office.registration import Request as RegistrationRequest
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
from support.office_signers import DAY, NOW, Draft, OfficeSigners, Released, Server, public
from support.reference_integrity import ReferenceIntegrity

FIELDS = (Field(NAME, "Your name", 64, True), Field("account", "Account", 20, False))


@dataclass
class User:
    """Somebody who is registered at a server."""

    server: str
    code: bytes
    device: bytes
    key: bytes
    reply: Reply
    name: str
    is_confirmed: bool = False
    version: int = 1
    state: State = State.ACTIVE
    applications: dict[str, int] = field(default_factory=lambda: {"letters": 2})
    components: tuple[str, ...] = ()


@dataclass
class Held:
    """A session; `said` is the last message with its answer."""

    user: User | None
    transcript: Transcript | None
    opened: Opened
    message: Open
    shared: bytes
    keys: SessionKeys | None = None
    number: int = 0
    said: tuple[bytes, Message] = (b"", Said(b""))


class ReferenceOffice:
    """`order` is what the one device shall hold; `asked` every service that was asked for, in order."""

    def __init__(self, seed: int = 1) -> None:
        self.signers = OfficeSigners(seed)
        self.bank = self.signers.server("bank", Usage.REGISTRATION, Usage.ENTITLEMENT)
        self.shop = self.signers.server("shop", Usage.REGISTRATION, Usage.ENTITLEMENT)
        # Keys of before that still open questions.
        self.former: list[Server] = []
        # How often they did.
        self.by_former = 0
        # Revoked ones of the configuration server, that open questions for the directory.
        self.revoked_keys: list[Server] = []
        self.now = NOW
        self.form = Form.FULL
        self.list_number = 1
        self.revoked: dict[str, int] = {}
        # Distribution and validation servers; a device that knows none needs no VAL_OK.
        self.integrity: ReferenceIntegrity | None = None
        self.device: Equipment | None = None
        self.order: list[Released] | None = None
        self.security_counter = 1
        self.notices: tuple[Notice, ...] = ()
        self.asked: list[Service] = []
        self.requests: list[Request] = []
        self.reports: list[Report] = []
        self.registrations: dict[bytes, User] = {}
        self.sessions: dict[bytes, Held] = {}
        self.used: list[Use] = []
        # Makes another draft of a good one; another body of a good one; another sealed answer of a good one.
        self.spoil_draft: Callable[[Draft], None] = lambda draft: None
        self.spoil_body: Callable[[Service, bytes], bytes] = lambda service, body: body
        self.spoil_sealed: Callable[[Service, bytes], bytes] = lambda service, sealed: sealed
        self.refuses: dict[Service, RefusedError] = {}
        self._granted: dict[bytes, bytes] = {}
        self._challenges: set[bytes] = set()
        self._counter = 0

    @property
    def servers(self) -> list[Server]:
        own = [self.signers.configuration, self.signers.releases, self.bank, self.shop]
        return own + (self.integrity.servers if self.integrity else [])

    def with_integrity(self, *, is_one: bool = False) -> ReferenceIntegrity:
        """From now on copies are validated."""
        self.integrity = ReferenceIntegrity(self.signers, lambda: self.now, is_one=is_one)
        return self.integrity

    def answer(self, service: str, sealed: bytes) -> bytes:
        """What HTTP would carry; ValueError where that says 400."""
        name = Service(service)
        server = next((one for one in (*self.servers, *self.former) if _opens(one, sealed)), None)
        opener = server
        if server is None and name is Service.DIRECTORY:
            opener = next((one for one in self.revoked_keys if _opens(one, sealed)), None)
            server = self.signers.configuration
        if server is None or opener is None:
            raise ValueError("sealed to nobody here")
        question = open_question(opener.sealing_key, name, sealed)
        self.asked.append(name)
        self.by_former += server in self.former
        body = self.spoil_body(name, self._body(name, server, question))
        answer = seal_answer(server.signing_key, name, question, sealed, self.now, body)
        return self.spoil_sealed(name, answer)

    def user(self, server: str = "bank") -> User:
        """The newest at a server."""
        return [user for user in self.registrations.values() if user.server == server][-1]

    def _body(self, service: Service, server: Server, question: Question) -> bytes:
        handlers: dict[Service, Callable[[Server, bytes], Message]] = {
            Service.DIRECTORY: self._directory,
            Service.REGISTRATION: self._registration,
            Service.SESSION: self._session,
            Service.CONFIGURATION: self._configuration,
            Service.CONTENT: self._content,
            Service.REPORT: self._report,
        }
        if self.integrity is not None:
            handlers[Service.DISTRIBUTION] = self.integrity.distribute
            handlers[Service.VALIDATION] = self.integrity.validate
        try:
            if service in self.refuses:
                raise self.refuses[service]
            return handlers[service](server, question.body).octets()
        except RefusedError as error:
            return Refused(error.refusal, error.retry_after).octets()

    def _directory(self, server: Server, body: bytes) -> Message:
        read(ListServers, body)
        return Servers(
            tuple(one.signed for one in self.servers), self.signers.revocation_list(self.list_number, **self.revoked)
        )

    def _template(self, server: Server) -> bytes:
        template = Template(server.certificate.server, "letters", "A bank of letters", FIELDS, self.form, NOW + DAY)
        return sign1.sign(server.signing_key, Label.REGISTRATION_TEMPLATE, [], template.octets())

    def _registration(self, server: Server, body: bytes) -> Message:
        message = read_one_of((GetTemplate, Register), body)
        if isinstance(message, GetTemplate):
            return TemplateAnswer(server.signed, self._template(server))
        assert isinstance(message, Register)
        signed = message.request
        request = read(RegistrationRequest, sign1.unverified_payload(signed))
        context = [digest(server.signed), digest(self._template(server))]
        sign1.verify(request.signing_key, Label.REGISTRATION_REQUEST, context, signed)
        user = self.registrations.get(digest(signed)) or self._enter(server, signed, request)
        return RegisterAnswer(seal_reply(user.reply, request.ssk1, signed, self.signers.random.randbytes(12)))

    def _enter(self, server: Server, signed: bytes, request: RegistrationRequest) -> User:
        name, random = server.certificate.server, self.signers.random.randbytes
        for user in self.registrations.values():
            if (user.server, user.name) == (name, request.fields[NAME]) and user.is_confirmed:
                raise RefusedError(Refusal.NAME_TAKEN)
        reply = Reply("/v1/session", random(16), random(32) if self.form is Form.FULL else b"")
        key = authentication_key(
            name, reply, request.ssk1, certificate=server.signed, template=self._template(server), request=signed
        )
        user = User(name, reply.user_code, key_id(request.signing_key), key, reply, request.fields[NAME])
        self.registrations[digest(signed)] = user
        return user

    def _session(self, server: Server, body: bytes) -> Message:
        message = read_one_of((Open, Prove, Say), body)
        match message:
            case Open():
                return self._open(message)
            case Prove():
                return self._prove(server, message)
            case Say():
                return self._say(server, message, body)
        raise AssertionError

    def _open(self, message: Open) -> Opened:
        random = self.signers.random.randbytes
        private = X25519PrivateKey.from_private_bytes(random(32))
        opened = Opened(random(16), random(16), public(private))
        user = next((user for user in self.registrations.values() if user.code == message.user_code), None)
        self.sessions[opened.session] = Held(user, None, opened, message, agree(private, message.key))
        return opened

    def _prove(self, server: Server, message: Prove) -> Message:
        held = self.sessions[message.session]
        if held.user is None:
            raise RefusedError(Refusal.NOT_PROVED)
        transcript = Transcript(
            server.certificate.server, held.user.code, message.session, held.message.key, held.opened.key,
            held.opened.challenge, message.challenge,
        )  # fmt: skip
        if not is_same(message.proof, client_proof(held.user.key, transcript)):
            raise RefusedError(Refusal.NOT_PROVED)
        held.user.is_confirmed = True
        held.keys = SessionKeys.agreed(held.user.key, held.shared, transcript)
        return Proved(held.keys.seal(Direction.TO_DEVICE, 0, ServerProof(message.challenge).octets()))

    def _say(self, server: Server, message: Say, body: bytes) -> Message:
        held = self.sessions.get(message.session)
        if held is None or held.keys is None or held.user is None:
            raise RefusedError(Refusal.NO_SESSION)
        if held.said[0] == body:
            return held.said[1]
        if message.number != held.number + 1:
            raise RefusedError(Refusal.OUT_OF_ORDER)
        held.number += 1
        asked = read_one_of((GetEntitlements, Use), held.keys.unseal(Direction.TO_SERVER, held.number, message.sealed))
        answered = self._said(server, held.user, asked)
        held.said = body, Said(held.keys.seal(Direction.TO_DEVICE, held.number, answered.octets()))
        return held.said[1]

    def _said(self, server: Server, user: User, asked: Message) -> Message:
        if isinstance(asked, Use):
            if user.applications.get(asked.application, 0) < 1:
                raise RefusedError(Refusal.NOT_ENTITLED)
            self.used.append(asked)
            return Used(200, b"for " + user.name.encode() + b": " + asked.body)
        return EntitlementsAnswer(self.entitlements(server, user).signed(server.signing_key))

    def entitlements(self, server: Server, user: User) -> Entitlements:
        return Entitlements(
            server.certificate.server, user.code, user.device, user.version, self.now, self.now + DAY, user.state, (),
            user.applications, user.components,
        )  # fmt: skip

    def _configuration(self, server: Server, body: bytes) -> Message:
        message = read_one_of((GetChallenge, Configure), body)
        if isinstance(message, GetChallenge):
            challenge = self.signers.random.randbytes(16)
            self._challenges.add(challenge)
            return ChallengeAnswer(challenge)
        assert isinstance(message, Configure)
        if message.request not in self._granted:
            self._granted[message.request] = self._configured(server, message).octets()
        granted: Message = read_one_of((Granted, Current), self._granted[message.request])
        return granted

    def _configured(self, server: Server, message: Configure) -> Message:
        request, device = unverified_request(message.request), self.device
        if device is None or self.order is None or request.signing_key != public(device.signing_key):
            raise RefusedError(Refusal.DENIED)
        context = request_context(message.variant, device.serial)
        sign1.verify(request.signing_key, Label.CONFIGURATION_REQUEST, context, message.request)
        if message.variant is Variant.SEALED_IDENTIFIER:
            assert request.identifier is not None
            sealed = hpke.unseal_with(server.sealing_key, Label.IDENTIFIER, [request.challenge], request.identifier)
            assert read(Identifier, sealed).serial == device.serial
        else:
            assert request.identifier is None
        if request.challenge not in self._challenges or request.counter <= self._counter:
            raise RefusedError(Refusal.DENIED)
        self._challenges.remove(request.challenge)
        self._counter = request.counter
        self.requests.append(request)
        return self._granted_to(device, request)

    def _granted_to(self, device: Equipment, request: Request) -> Message:
        wanted = sorted((one.release.component for one in self.order or []), key=lambda component: component.id)
        if request.purpose is Purpose.LOOK or list(request.catalogue) == wanted:
            return Current(self.notices)
        draft = self.signers.draft(
            device, self.order or [], set_number=request.set_number + 1, security_counter=self.security_counter
        )
        draft.change(challenge=request.challenge)
        self.spoil_draft(draft)
        granted = read(Granted, self.signers.offer(device, draft).granted)
        return Granted(
            granted.manifest, granted.releases, granted.release_certificates, granted.keys, granted.code,
            granted.ticket, self.notices,
        )  # fmt: skip

    def _content(self, server: Server, body: bytes) -> Message:
        message = read(GetChunk, body)
        for one in self.order or []:
            if one.digest == message.release:
                return Chunk(one.chunks[message.index])
        raise RefusedError(Refusal.NO_CONTENT)

    def _report(self, server: Server, body: bytes) -> Message:
        report = read_report(read(SendReport, body).report)
        if report not in self.reports:
            self.reports.append(report)
        return Reported()


def _opens(server: Server, sealed: bytes) -> bool:
    return key_id(public(server.sealing_key)) == hpke.receiver_of(sealed)
