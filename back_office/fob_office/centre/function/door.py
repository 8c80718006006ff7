"""A device's sealed question in, a sealed answer out; the function server's own key opens it (M2)."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import assert_never

import structlog
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from fob_office.centre.boxes.turns import Turns
from fob_office.centre.bus.errors import BusRefusedError, DirectoryError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.function.changing import Changing
from fob_office.centre.function.franking import Franking
from fob_office.centre.function.held import Request
from fob_office.centre.function.looking import Looking
from fob_office.centre.function.paying import Paying
from fob_office.centre.function.permitting import Asked, permit
from fob_office.centre.function.refunding import Refunding
from fob_office.centre.function.refusing import refusal_of, said_of
from fob_office.centre.function.settings import FunctionSettings
from fob_office.centre.function.signing import Signing
from fob_office.centre.function.tallying import Tallying
from fob_office.centre.words import Word
from fob_office.refusing import RuleBrokenError
from fob_office.servers.identity import Identity
from fob_office.surroundings import Surroundings
from fob_protocol.cose import mac0
from fob_protocol.cose.errors import CoseError, SealError
from fob_protocol.metering.answers import TermsGiven
from fob_protocol.metering.requests import (
    AboutRequest,
    Ask,
    Authenticated,
    FrankRequest,
    HistoryRequest,
    LoadRequest,
    RefundRequest,
    SignOn,
    SignUp,
    Terms,
    read_authenticated,
)
from fob_protocol.names import plain_name
from fob_protocol.office import envelope
from fob_protocol.office.envelope import Question, Refused, Service
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import REFUSAL_LIMIT
from fob_protocol.office.message import read_one_of
from fob_protocol.office.refusals import Refusal

log = structlog.get_logger(__name__)

_MESSAGES = (Terms, SignUp, SignOn, Ask)


@dataclass(frozen=True, slots=True)
class Door:
    """Of one function server. `probe`: any key, by which a reply key is tried before anything is done."""

    settings: FunctionSettings
    surroundings: Surroundings
    changing: Changing
    signing: Signing
    franking: Franking
    paying: Paying
    refunding: Refunding
    looking: Looking
    probe: X25519PrivateKey
    turns: Turns = field(default_factory=Turns)
    tallying: Tallying = field(default_factory=Tallying)

    async def answer(self, sealed: bytes) -> bytes:
        """What goes back, refusals too. Raises BusRefusedError MALFORMED: no key opens it, or it is no question."""
        identity, question = self._open(sealed)
        body = await self._body(question.body)
        now = self.surroundings.clock()
        return envelope.seal_answer(identity.signing_key, Service.METERING, question, sealed, now, body)

    def _open(self, sealed: bytes) -> tuple[Identity, Question]:
        """With the keys that it was sealed to."""
        *former, oldest = self.settings.identities
        for identity in former:
            with suppress(CoseError):
                return identity, self._opened(identity, sealed)
        try:
            return oldest, self._opened(oldest, sealed)
        except SealError:
            raise BusRefusedError(Word.MALFORMED, "no key of this data centre opens it") from None
        except CoseError as error:
            raise BusRefusedError(Word.MALFORMED, str(error)) from None

    def _opened(self, identity: Identity, sealed: bytes) -> Question:
        """Raises BusRefusedError MALFORMED, CoseError: it is nothing sealed, or sealed to other keys."""
        try:
            question = envelope.open_question(identity.sealing_key, Service.METERING, sealed)
            self.probe.exchange(X25519PublicKey.from_public_bytes(question.reply_key))
        except OfficeError as error:
            raise BusRefusedError(Word.MALFORMED, str(error)) from None
        except ValueError:
            raise BusRefusedError(Word.MALFORMED, "the reply key is none") from None
        return question

    async def _body(self, body: bytes) -> bytes:
        try:
            return await self._answer(body)
        except BusRefusedError as error:
            return self._refusal(refusal_of(error))
        except RefusedError as error:
            return self._refusal(error)
        except (OfficeError, CoseError) as error:
            return self._refusal(RuleBrokenError(Refusal.MALFORMED, "X8", str(error)))
        except DirectoryError as error:
            return self._refusal(RuleBrokenError(Refusal.UNAVAILABLE, "X8", str(error)))

    async def _answer(self, body: bytes) -> bytes:
        match read_one_of(_MESSAGES, body):
            case Terms() as asked:
                passes = self.looking.passes.of(Kind.AUTHENTICATION)
                kinds = tuple(self.settings.rates)
                answer = TermsGiven(kinds, self.settings.deposit, self.settings.fee, passes).octets()
            case SignUp(signed) as asked:
                answer = await self.changing.warnings.telling("", self.signing.sign_up(signed))
            case SignOn(signed) as asked:
                answer = await self.changing.warnings.telling("", self.signing.sign_on(signed))
            case Ask(authenticated):
                return await self._authenticated(authenticated)
            case other:
                raise AssertionError(other)
        self.tallying.did(asked)
        return answer

    async def _authenticated(self, octets: bytes) -> bytes:
        wanted = read_authenticated(mac0.unchecked_payload(octets))
        request = Request(wanted.request_id, digest(wanted.octets()), wanted.serial, wanted.time)
        doing = self._do(wanted, octets, request)
        answer = await self.changing.warnings.telling(wanted.serial, doing)
        self.tallying.did(wanted)
        return answer

    async def _do(
        self,
        wanted: Authenticated,
        octets: bytes,
        request: Request,
    ) -> bytes:
        match wanted:
            case FrankRequest() | LoadRequest() | RefundRequest():
                async with self.turns.of(request.serial):
                    return await self._change(wanted, octets, request)
            case AboutRequest():
                return await self.looking.about(Asked(wanted, octets, request))
            case HistoryRequest():
                return await self.looking.history(Asked(wanted, octets, request))
            case _:
                assert_never(wanted)

    async def _change(
        self, wanted: FrankRequest | LoadRequest | RefundRequest, octets: bytes, request: Request
    ) -> bytes:
        """One after another for a meter: those of other servers are enough to run into."""
        match wanted:
            case FrankRequest():
                return await self.franking.frank(Asked(wanted, octets, request))
            case LoadRequest():
                asked = Asked(wanted, octets, request)
                return await self.paying.load(
                    request, wanted.amount, lambda held: permit(self.changing.peers, held, asked)
                )
            case RefundRequest():
                return await self.refunding.refund(Asked(wanted, octets, request))
            case _:
                assert_never(wanted)

    def _refusal(self, error: RefusedError) -> bytes:
        clause, why = (error.clause, error.why) if isinstance(error, RuleBrokenError) else ("X8", "")
        log.info("refused", service=Service.METERING, code=error.refusal, clause=clause, why=why)
        self.tallying.refused(error.refusal)
        said = plain_name(error.said, REFUSAL_LIMIT) or said_of(error.refusal, why)
        return Refused(error.refusal, error.retry_after, said).octets()
