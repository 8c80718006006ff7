"""Mailers of the tests: what their devices say to a data centre, with real crypto, and what they remember."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.function import Answer
from fob_office.centre.function.server import FunctionServer
from fob_protocol.cose import hpke
from fob_protocol.cose.labels import Label
from fob_protocol.integrity.presentation import Presentation
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.metering import mailer as judging
from fob_protocol.metering.answers import About, Franked, History, Loaded, Refunded, SignedUp
from fob_protocol.metering.indicium import addressee_digest
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.login import seal_password
from fob_protocol.metering.records import Refill
from fob_protocol.metering.requests import (
    AboutRequest,
    Ask,
    Authenticated,
    FrankRequest,
    HistoryRequest,
    LoadRequest,
    Piece,
    RefundRequest,
    SignOn,
    SignOnRequest,
    SignUp,
    SignUpRequest,
    authenticated,
)
from fob_protocol.metering.values import Indicated
from fob_protocol.metering.witness import log_head
from fob_protocol.office.envelope import Service, ask
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import MessageT, read
from support.data_centre import PROGRAMS, VALIDATION, VALUE_KIND, DataCentre, sealing_key_of

PASSWORD: Final = "correct horse battery staple"
ORIGINS: Final = ("10115", "20095")
DoneT = TypeVar("DoneT", Franked, Loaded, Refunded)
COMMUNICATION: Final = Pass(Kind.COMMUNICATION, "communication-1", bytes(32), bytes(32), None, 1, 1 << 40)


class Mailer:
    """A person with a device; `server` is whichever function server he reaches."""

    def __init__(
        self, centre: DataCentre, server: FunctionServer, name: str = "anna", value_kind: str = VALUE_KIND
    ) -> None:
        self.centre = centre
        self.server = server
        self.name = name
        self.value_kind = value_kind
        random = centre.boxes.surroundings.random
        self.random = random
        self.signing = Ed25519PrivateKey.from_private_bytes(random(32))
        self.sealing = X25519PrivateKey.from_private_bytes(random(32))
        self.account = b""
        self.serial = ""
        self.key = b""

    def sign_up_request(self, payment: Payment = Payment.PREPAID, refill: Refill | None = None) -> SignUp:
        """For a meter; signed."""
        request = SignUpRequest(
            request_id=self.random(16),
            name=self.name,
            password=b"",
            value_kind=self.value_kind,
            payment=payment,
            refill=refill,
            origins=ORIGINS,
            presentation=b"",
            signing_key=self.signing.public_key().public_bytes_raw(),
            sealing_key=self.sealing.public_key().public_bytes_raw(),
            time=self.centre.now,
            fee=self.centre.fee,
        )
        return SignUp(self._with_secrets(request).signed(self.signing))

    def sign_on_request(self, password: str = PASSWORD) -> SignOn:
        """With name and password; signed."""
        request = SignOnRequest(
            request_id=self.random(16),
            name=self.name,
            password=b"",
            presentation=b"",
            signing_key=self.signing.public_key().public_bytes_raw(),
            sealing_key=self.sealing.public_key().public_bytes_raw(),
            time=self.centre.now,
        )
        return SignOn(self._with_secrets(request, password).signed(self.signing))

    async def sign_up(self, **how: Any) -> SignedUp:
        """And keep what comes."""
        return self.keep(await self.say(self.sign_up_request(**how), SignedUp))

    def keep(self, answer: SignedUp) -> SignedUp:
        """What a device keeps under its PIN."""
        self.account, self.serial = answer.account, answer.serial
        context = [answer.account]
        self.key = hpke.unseal_with(self.sealing, Label.USER_AUTHENTICATION_KEY, context, answer.key)
        return answer

    def frank_request(self, *amounts: int, **changes: Any) -> FrankRequest:
        """Pieces to Anna's aunt."""
        request_id = self.random(16)
        pieces = tuple(
            Piece(amount, "80331", addressee_digest(f"Tante {number}, Weg 1"), None, "letter")
            for number, amount in enumerate(amounts)
        )
        drafted = FrankRequest(
            request_id=request_id,
            account=self.account,
            serial=self.serial,
            time=self.centre.now,
            presentation=self.presentation(request_id),
            integrity=digest(b"integrity"),
            pieces=pieces,
        )
        return replace(drafted, **changes)

    def load_request(self, amount: int) -> LoadRequest:
        """Money onto the meter."""
        return LoadRequest(self.random(16), self.account, self.serial, self.centre.now, amount)

    def refund_request(self, amount: int | None = None, unused: Indicated | None = None) -> RefundRequest:
        """Money back, or an indicium."""
        return RefundRequest(self.random(16), self.account, self.serial, self.centre.now, amount, unused)

    async def frank(self, *amounts: int, **changes: Any) -> Franked:
        """Pieces of these amounts."""
        return await self.ask(self.frank_request(*amounts, **changes), Franked)

    async def load(self, amount: int) -> Loaded:
        """Money."""
        return await self.ask(self.load_request(amount), Loaded)

    async def refund(self, amount: int | None = None, unused: Indicated | None = None) -> Refunded:
        """Back."""
        return await self.ask(self.refund_request(amount, unused), Refunded)

    async def about(self, log: int = 0) -> About:
        """The meter."""
        return await self.ask(AboutRequest(self.random(16), self.account, self.serial, self.centre.now, log), About)

    async def history(self, after: int = 0) -> Sequence[bytes]:
        """A page of transactions."""
        request = HistoryRequest(self.random(16), self.account, self.serial, self.centre.now, after)
        return (await self.ask(request, History)).transactions

    async def ask(self, request: Authenticated, answer: type[MessageT]) -> MessageT:
        """A request with its code. Raises RefusedError."""
        return await self.say(Ask(authenticated(self.key, request)), answer)

    async def say(self, message: SignUp | SignOn | Ask, answer: type[MessageT]) -> MessageT:
        """Sealed, and the answer opened. Raises RefusedError."""
        asked = ask(self.centre.certificate, Service.METERING, message.octets(), self.random)
        sealed = (await self.server.answer(COMMUNICATION, Answer(asked.sealed))).sealed
        return read(answer, asked.open(sealed).body)

    def presentation(self, nonce: bytes, **changes: Any) -> bytes:
        """Of a ticket for the rate component (V18), good for a day."""
        now = self.centre.now
        holder = self.signing.public_key().public_bytes_raw()
        fields: dict[str, Any] = {
            "server": "validation", "time": now, "until": now + 86_400, "holder": holder, "evidence": bytes(32),
            "copy": bytes(16), "program": PROGRAMS[self.value_kind], "version": (1, 0, 0), "identifier_name": bytes(32),
            "program_number": 1, "server_number": 1, "iv": None,
        }  # fmt: skip
        token = Ticket(**(fields | changes)).signed(VALIDATION)
        return Presentation(token).signed(self.signing, "metering", nonce)

    def _with_secrets(self, request: Any, password: str = PASSWORD) -> Any:
        sealed = seal_password(sealing_key_of(self.centre, "authentication-1"), request, password)
        return replace(request, password=sealed, presentation=self.presentation(request.request_id))


class Witness:
    """What a mailer's device keeps and judges by (fob_protocol.metering.mailer). Raises MeterError, where it would."""

    def __init__(self, mailer: Mailer, answer: SignedUp) -> None:
        self.mailer = mailer
        self.kept: judging.Mailer = judging.begun(mailer.name, answer, None)

    async def look(self) -> judging.Mailer:
        """At the meter, at all that it did since, and at the log."""
        mailer = self.mailer
        about = await mailer.about(log_head(self.kept.checkpoint).size)
        self.kept = judging.with_about(self.kept, about, mailer.centre.boxes.manufacturing_key, mailer.centre.now)
        while not self.kept.is_followed:
            history = History(tuple(await mailer.history(self.kept.next_after)))
            self.kept = judging.with_history(self.kept, history)
        return self.kept

    async def do(self, request: judging.Order, answer: type[DoneT]) -> DoneT:
        """What was asked for, judged."""
        done = await self.mailer.ask(request, answer)
        self.kept = judging.with_done(self.kept, request, done)
        return done
