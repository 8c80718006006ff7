"""A data centre of fob_protocol alone, in memory and seeded: one meter, real signatures, and it can lie in every way.

It does what docs/meter-protocol.md says that a device sees, in a process and without boxes. A test sets one of the
`spoil` hooks to have it lie, or `refuses` to have it say no.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from fob_device.integrity.own_program import NAME as OWN_PROGRAM
from fob_office.shipped import shipped
from fob_protocol.cose import hpke, mac0
from fob_protocol.cose.errors import SignatureError
from fob_protocol.cose.labels import Label
from fob_protocol.integrity.copy_record import INSTALLATION_POLICY
from fob_protocol.integrity.relying import NotAdmittedError, RelyingParty
from fob_protocol.metering.answers import About, Franked, History, Loaded, Refunded, SignedUp, TermsGiven
from fob_protocol.metering.indicium import Indicium, date_of
from fob_protocol.metering.kinds import Deed, MeterState, Payment
from fob_protocol.metering.limits import HISTORY_LIMIT, REQUEST_TIME
from fob_protocol.metering.log.checkpoint import Checkpoint, origin_of
from fob_protocol.metering.log.entry import Entry
from fob_protocol.metering.log.entry import Kind as LogKind
from fob_protocol.metering.log.tree import Frontier, consistency_proof
from fob_protocol.metering.login import open_password
from fob_protocol.metering.passes import Kind, Pass
from fob_protocol.metering.records import Limits, Refill
from fob_protocol.metering.requests import (
    AboutRequest,
    Ask,
    FrankRequest,
    HistoryRequest,
    LoadRequest,
    RefundRequest,
    SignOn,
    SignOnRequest,
    SignUp,
    SignUpRequest,
    Terms,
    account_of,
    read_authenticated,
    read_signed,
)
from fob_protocol.metering.transaction import TransactionRecord
from fob_protocol.metering.values import Indicated, Registers
from fob_protocol.office.certificate import Usage
from fob_protocol.office.component import Kind as ComponentKind
from fob_protocol.office.envelope import Question, Refused, Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message, read, read_one_of
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.release import Dependency
from support.integrity_bench import LASTING, OWN
from support.office_signers import DAY, NOW, Released, Server, public
from support.reference_office import ReferenceOffice

PASSWORD: Final = "correct horse battery"
KIND: Final = "eur-cent"
SERIAL: Final = "VM-0001"
LIMITS: Final = Limits(piece=10_000, daily=100_000, credit=0, spent=0, day=0)


class Nodes(dict[tuple[int, int], bytes]):
    """Of the log's tree."""

    def get(self, level: int, index: int) -> bytes:  # type: ignore[override]  # as the tree asks
        return self[level, index]


@dataclass
class Log:
    """The witnessed log, as it grows."""

    frontier: Frontier = field(default_factory=Frontier)
    nodes: Nodes = field(default_factory=Nodes)

    def append(self, content: bytes) -> None:
        leaf = Entry(LogKind.TRANSACTION_RECORD, content).hash()
        self.frontier, made = self.frontier.append(leaf)
        for node in made:
            self.nodes[node.level, node.index] = node.hash

    def proof(self, size: int) -> tuple[bytes, ...]:
        if not 0 < size <= self.frontier.size:
            return ()
        return tuple(consistency_proof(self.nodes, size, self.frontier.size))


@dataclass
class Account:
    """The mailer, and what is known of his meter."""

    account: bytes
    name: str
    password: str
    key: bytes
    payment: Payment = Payment.PREPAID
    refill: Refill | None = None
    origins: tuple[str, ...] = ("20095",)
    registers: Registers = field(default_factory=lambda: Registers(0, 0, 0, 0, 0, 0))
    after: bytes | None = None
    transactions: list[bytes] = field(default_factory=list)
    # For signing up, not paid yet.
    fee: int = 0


class MeteringOffice(ReferenceOffice):
    """`said` has every body that came to service `metering`, in order; `charged` what was asked of the provider."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        signers = self.signers
        self.meters = signers.server("meters", Usage.METERING)
        self.boxes = signers.server("boxes", Usage.BOXES)
        self.box = signers.signing_key()
        self.sealing = signers.sealing_key()
        self.account: Account | None = None
        self.log = Log()
        self.said: list[bytes] = []
        self.charged: list[int] = []
        # What signing up costs now, and the one value kind.
        self.fee = 0
        self.kind = KIND
        self.journal: dict[bytes, tuple[bytes, bytes]] = {}
        # Each takes one request, and nothing was done.
        self.refusals: list[RefusedError] = []
        # Lies: of the record before it is signed, of the answer, of who signs, and of the passes.
        self.spoil_record: Callable[[TransactionRecord], TransactionRecord] = lambda record: record
        self.spoil_message: Callable[[Message], Message] = lambda message: message
        self.signer: Ed25519PrivateKey = self.box
        self.pass_number = 1
        self.order = _rates(self)
        integrity = self.with_integrity()
        for released in self.order:
            integrity.knows(released.id, released.content, policy=LASTING)
        integrity.knows(OWN_PROGRAM, OWN, (0, 1, 0), policy=INSTALLATION_POLICY)
        self.party = RelyingParty(public(integrity.validation.signing_key), DAY, {"postage-rates": (1, 0, 0)})

    @property
    def servers(self) -> list[Server]:
        return [*super().servers, self.meters, self.boxes]

    @property
    def mailer(self) -> Account:
        """Whoever signed up."""
        assert self.account is not None
        return self.account

    def shown(self, kind: Kind, key: Ed25519PrivateKey | None = None, /, **changes: object) -> bytes:
        """A pass of a box of this kind."""
        signing = None if kind is Kind.AUTHENTICATION else public(self.box)
        shown = Pass(kind, f"{kind.word}-1", bytes(32), public(self.sealing), signing, self.pass_number, NOW + DAY)
        return replace(shown, **changes).signed(key or self.boxes.signing_key)

    def does(self, deed: Deed, amount: int, request: bytes | None = None) -> None:
        """The centre does something by itself, as a refill; or again what was asked by `request`."""
        self._done(deed, amount, request or self.signers.random.randbytes(16))

    def _body(self, service: Service, server: Server, question: Question) -> bytes:
        if service is not Service.METERING or service in self.refuses:
            return super()._body(service, server, question)
        self.said.append(question.body)
        try:
            if self.refusals:
                raise self.refusals.pop(0)
            return self.spoil_message(self._answered(question.body)).octets()
        except RefusedError as error:
            return Refused(error.refusal, error.retry_after, error.said).octets()

    def _answered(self, body: bytes) -> Message:
        match read_one_of((Terms, SignUp, SignOn, Ask), body):
            case Terms():
                return TermsGiven((self.kind,), 500, self.fee, (self.shown(Kind.AUTHENTICATION),))
            case SignUp(signed):
                return self._joined(read_signed(SignUpRequest, signed), signed)
            case SignOn(signed):
                return self._joined(read_signed(SignOnRequest, signed), signed)
            case Ask(octets):
                return self._authenticated(octets)
        raise AssertionError

    def _joined(self, request: SignUpRequest | SignOnRequest, signed: bytes) -> Message:
        self._admit(request.presentation, request.request_id)
        if request.request_id in self.journal:
            return read(SignedUp, self.journal[request.request_id][1])
        password = open_password(self.sealing, request)
        if isinstance(request, SignUpRequest):
            if self.account is not None:
                raise RefusedError(Refusal.NAME_TAKEN)
            self.account = Account(
                account_of(digest(request.octets())), request.name, password, b"", request.payment, request.refill,
                request.origins, fee=request.fee,
            )  # fmt: skip
            self._done(Deed.CREATE, 0, request.request_id)
        mailer = self.mailer
        if (mailer.name, mailer.password) != (request.name, password):
            raise RefusedError(Refusal.NOT_AUTHENTICATED)
        mailer.key = self.signers.random.randbytes(32)
        sealed = hpke.seal_to(request.sealing_key, Label.USER_AUTHENTICATION_KEY, [mailer.account], mailer.key)
        answer = SignedUp(mailer.account, SERIAL, sealed, mailer.registers)
        self.journal[request.request_id] = digest(signed), answer.octets()
        return answer

    def _authenticated(self, octets: bytes) -> Message:
        if self.account is None:
            raise RefusedError(Refusal.NO_ACCOUNT)
        try:
            request = read_authenticated(mac0.check(self.mailer.key, Label.METERING_REQUEST, [], octets))
        except SignatureError:
            raise RefusedError(Refusal.NOT_AUTHENTICATED) from None
        assert (request.account, request.serial) == (self.mailer.account, SERIAL)
        match request:
            case AboutRequest():
                return self._about(request)
            case HistoryRequest():
                found = [octets for place, octets in enumerate(self.mailer.transactions, 1) if place > request.after]
                return History(tuple(found[:HISTORY_LIMIT]))
        return self._once(request)

    def _once(self, request: FrankRequest | LoadRequest | RefundRequest) -> Message:
        if request.request_id in self.journal:
            asked, answered = self.journal[request.request_id]
            if asked != digest(request.octets()):
                raise RefusedError(Refusal.ID_USED)
            return read_one_of((Franked, Loaded, Refunded), answered)
        if self.now - request.time > REQUEST_TIME:
            raise RefusedError(Refusal.LATE)
        answer = self._do(request)
        self.journal[request.request_id] = digest(request.octets()), answer.octets()
        return answer

    def _do(self, request: FrankRequest | LoadRequest | RefundRequest) -> Message:
        match request:
            case FrankRequest():
                self._admit(request.presentation, request.request_id)
                signed = self._frank(request)
                record = self.newest
                return Franked(record.indicia, self.mailer.registers, signed)
            case LoadRequest():
                self.charged.append(request.amount)
                return Loaded(*self._loaded(Deed.LOAD, request.amount, request.request_id))
            case RefundRequest(unused=None, amount=int() as amount):
                return Refunded(*self._loaded(Deed.REFUND, amount, request.request_id))
        assert request.unused is not None
        amount = read(Indicium, request.unused.indicium).amount
        return Refunded(*self._loaded(Deed.CREDIT, amount, request.request_id))

    @property
    def newest(self) -> TransactionRecord:
        """The last transaction, as it was signed."""
        return self._newest

    def _loaded(self, deed: Deed, amount: int, request: bytes) -> tuple[Registers, bytes]:
        signed = self._done(deed, amount, request)
        return self.mailer.registers, signed

    def _frank(self, request: FrankRequest) -> bytes:
        before = self.mailer.registers
        total = sum(piece.amount for piece in request.pieces)
        if total > before.descending:
            raise RefusedError(Refusal.INSUFFICIENT_FUNDS)
        ascending, made = before.ascending, []
        for number, piece in enumerate(request.pieces):
            ascending += piece.amount
            indicium = Indicium(
                SERIAL, before.counter + 1, number, piece.amount, self.kind,
                date_of(datetime.fromtimestamp(self.now, UTC).date()), piece.origin or self.mailer.origins[0],
                piece.destination, piece.addressee, piece.mail_class, ascending, 1,
            )  # fmt: skip
            made.append(Indicated(indicium.octets(), digest(indicium.octets())[:16]))
        return self._done(Deed.FRANK, total, request.request_id, tuple(made), request.integrity)

    def _done(
        self, deed: Deed, amount: int, request: bytes, indicia: tuple[Indicated, ...] = (),
        integrity: bytes | None = None,
    ) -> bytes:  # fmt: skip
        mailer = self.mailer
        registers = _after(mailer.registers, deed, amount, len(indicia))
        is_paid = deed is Deed.SETTLE or (deed is Deed.LOAD and mailer.payment is not Payment.POSTPAID)
        fee, mailer.fee = (mailer.fee, 0) if is_paid else (0, mailer.fee)
        record = TransactionRecord(
            request, SERIAL, deed, registers.counter, amount, registers.ascending, registers.descending,
            registers.loads, registers.pieces, indicia, integrity, self.now, mailer.after,
            self.signers.random.randbytes(32), fee,
        )  # fmt: skip
        mailer.registers, mailer.after = registers, record.after
        self._newest = record = self.spoil_record(record)
        signed = record.signed(self.signer)
        mailer.transactions.append(signed)
        self.log.append(signed)
        return signed

    def _about(self, request: AboutRequest) -> Message:
        mailer, size = self.mailer, self.log.frontier.size
        checkpoint = Checkpoint(origin_of(public(self.boxes.signing_key)), size, self.log.frontier.root, self.now)
        return About(
            MeterState.ACTIVE, self.kind, mailer.registers, LIMITS, mailer.payment, mailer.refill, mailer.origins,
            checkpoint.signed(self.box), self.log.proof(request.log), (self.shown(Kind.TRANSACTION),), mailer.fee,
        )  # fmt: skip

    def _admit(self, presentation: bytes, request: bytes) -> None:
        try:
            self.party.admit(presentation, "meters", request, self.now)
        except NotAdmittedError:
            raise RefusedError(Refusal.NOT_VALIDATED) from None


def _after(before: Registers, deed: Deed, amount: int, pieces: int) -> Registers:
    counter = before.counter + 1
    match deed:
        case Deed.FRANK:
            return replace(
                before, counter=counter, ascending=before.ascending + amount, descending=before.descending - amount,
                pieces=before.pieces + pieces,
            )  # fmt: skip
        case Deed.LOAD | Deed.CREDIT:
            return replace(before, counter=counter, descending=before.descending + amount, loads=before.loads + amount)
        case Deed.REFUND:
            return replace(before, counter=counter, descending=before.descending - amount, loads=before.loads - amount)
    return replace(before, counter=counter)


def _rates(office: ReferenceOffice) -> list[Released]:
    table, rates = shipped()["postage-table"], shipped()["postage-rates"]
    return [
        office.signers.release("postage-table", table.content(), kind=ComponentKind.DATA),
        office.signers.release(
            "postage-rates", rates.content(), commands=("XRATE",),
            dependencies=(Dependency("postage-table", (1, 0, 0)),),
        ),
    ]  # fmt: skip
