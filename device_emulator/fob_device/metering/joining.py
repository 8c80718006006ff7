"""Sign-up and sign-on (M14, M30): the password is typed here, sealed to an authentication box, and kept nowhere."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from fob_device.components.equipment import Equipment
from fob_device.metering.asking import ID_SIZE, ask_joining, ask_terms, authentication_box, server_for
from fob_device.metering.believing import Believing
from fob_device.metering.rating import RATE_COMMAND, Rates
from fob_device.metering.store import Joining, MeterStore
from fob_device.office.progress import Told
from fob_device.office.talker import Talker
from fob_protocol.cose import hpke, sign1
from fob_protocol.cose.cbor import Value, encode
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.history.entry import Entry, Kind
from fob_protocol.integrity.presentation import Presentation
from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.answers import SignedUp, TermsGiven
from fob_protocol.metering.faults import MeterError, MeterFault
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.limits import CLOCK_SKEW, REQUEST_TIME
from fob_protocol.metering.login import seal_password
from fob_protocol.metering.mailer import begun
from fob_protocol.metering.records import Refill
from fob_protocol.metering.requests import SignOn, SignOnRequest, SignUp, SignUpRequest, account_of
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.conversation import Speaker
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.retries import Pauses
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

TERMS_WORDS: Final = "asking what a meter costs"
JOIN_WORDS: Final = "signing on to the meter"
_KEY_SIZE: Final = 32

# The password; given what signing up costs, in words, empty for nothing.
Typed = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is signed up for. `fee`: the price that was shown; None: the question for the password says it."""

    value_kind: str
    payment: Payment
    refill: Refill | None
    origins: Sequence[str]
    fee: int | None = None

    def values(self) -> Value:
        """All of it."""
        refill: Value = [self.refill.below, self.refill.amount] if self.refill else None
        return [self.value_kind, int(self.payment), refill, list(self.origins)]


@dataclass(frozen=True, slots=True)
class Joiner:
    """Methods raise what `Talker.hold` raises, and what admission of the rate component does."""

    store: MeterStore
    device: Equipment
    talker: Talker
    rates: Rates
    believing: Believing
    random: Random

    async def terms(self) -> TermsGiven:
        """What may be had."""
        speaker = Speaker(server_for(self.talker, Usage.METERING), self.random)
        return await self.talker.hold(ask_terms(speaker), Told(TERMS_WORDS), Pauses(self.random))

    async def join(self, name: str, wish: Wish | None, typed: Typed, master_key: bytes) -> None:
        """A sign-up for what is wished, or without a wish a sign-on. Asked again it is the same request (M33)."""
        wanted = digest(encode([name, wish.values() if wish else None]))
        joining, held = self.store.joining(), self.store.meter()
        if joining is None and held is not None and held.signed_up == wanted:
            # By this very request, which whoever asked has not heard.
            return
        if joining is None or joining.wanted != wanted:
            joining = await self._begin(name, wish, wanted, typed)
        answer = await self._ask(joining)
        _check_account(joining, answer)
        mailer = begun(name, answer, held.mailer if held else None)
        if wish is not None:
            mailer = replace(
                mailer, value_kind=wish.value_kind, payment=wish.payment, origins=tuple(wish.origins), fee=_fee(joining)
            )
        entry = Entry(Kind.SETTING_CHANGED, words=f"signed {'up' if wish else 'on'} to meter {answer.serial}")
        self.store.keep_joined(mailer, self._unsealed(answer), wanted if wish else None, master_key, entry)
        self.believing.tell(self.believing.meter())

    async def _begin(self, name: str, wish: Wish | None, wanted: bytes, typed: Typed) -> Joining:
        """The password comes last, so that nobody types it in vain."""
        terms = await self.terms()
        fee = 0 if wish is None else _agreed(wish, terms)
        if wish is not None and wish.refill is not None:
            _check_refill(wish.value_kind, wish.refill, terms.deposit)
        now = self.talker.known.now(self.talker.now).time
        boxes = server_for(self.talker, Usage.BOXES)
        box = authentication_box(terms, boxes.signing_key, now, self.random)
        asked = self.talker.told
        request = self._request(name, wish, fee, await self._shown_ticket(), asked)
        password = await typed(amount_words(wish.value_kind, fee) if wish is not None and fee else "")
        signed = replace(request, password=seal_password(box.sealing, request, password)).signed(
            self.device.signing_key
        )
        joining = Joining(wish is not None, name, wanted, signed, asked)
        self.store.keep_joining(joining)
        return joining

    def _request(
        self, name: str, wish: Wish | None, fee: int, shown: Callable[[bytes], bytes], now: int
    ) -> SignUpRequest | SignOnRequest:
        request = self.random(ID_SIZE)
        signing = self.device.signing_key.public_key().public_bytes_raw()
        sealing = self.device.sealing_key.public_key().public_bytes_raw()
        if wish is None:
            return SignOnRequest(request, name, b"", shown(request), signing, sealing, now)
        return SignUpRequest(
            request, name, b"", wish.value_kind, wish.payment, wish.refill, tuple(wish.origins), shown(request),
            signing, sealing, now, fee,
        )  # fmt: skip

    async def _shown_ticket(self) -> Callable[[bytes], bytes]:
        rated = await self.rates.admitted(RATE_COMMAND)
        server: Certificate = server_for(self.talker, Usage.METERING)
        presentation = Presentation(rated.ticket)
        return lambda request: presentation.signed(self.device.signing_key, server.server, request)

    async def _ask(self, joining: Joining) -> SignedUp:
        speaker = Speaker(server_for(self.talker, Usage.METERING), self.random)
        message = SignUp(joining.signed) if joining.is_new else SignOn(joining.signed)
        try:
            return await self.talker.hold(ask_joining(speaker, message), Told(JOIN_WORDS), Pauses(self.random))
        except RefusedError as error:
            if error.refusal is not Refusal.UNAVAILABLE or self._is_late(joining):
                self.store.keep_joining(None)
            raise

    def _is_late(self, joining: Joining) -> bool:
        """Whether it will never be done, if it was not: perhaps the box is gone that the password is sealed to."""
        return self.talker.told - joining.time > REQUEST_TIME + CLOCK_SKEW

    def _unsealed(self, answer: SignedUp) -> bytes:
        try:
            key = hpke.unseal_with(self.device.sealing_key, Label.USER_AUTHENTICATION_KEY, [answer.account], answer.key)
        except CoseError:
            raise OfficeError(Fault.WRONG_REPLY, "the user authentication key is not for this device") from None
        if len(key) != _KEY_SIZE:
            raise OfficeError(Fault.WRONG_SIZE, f"a user authentication key has {_KEY_SIZE} octets")
        return key


def _agreed(wish: Wish, terms: TermsGiven) -> int:
    """What it costs, if the person was told no other price. Raises MeterError WRONG_FEE, CkrError."""
    if wish.value_kind not in terms.value_kinds:
        why = f"no {wish.value_kind} is sold; what is: {', '.join(terms.value_kinds)}"
        raise CkrError(Ckr.ARGUMENTS_BAD, why)
    if wish.fee not in (None, terms.fee):
        raise MeterError(MeterFault.WRONG_FEE, f"signing up costs {terms.fee} now, and {wish.fee} was shown")
    return terms.fee


def _check_refill(value_kind: str, rule: Refill, deposit: int) -> None:
    """As the data centre would, but before the password. Raises RefusedError PAYMENT_REFUSED."""
    if rule.amount < deposit:
        least = amount_words(value_kind, deposit)
        said = f"a refill of {amount_words(value_kind, rule.amount)}; at least {least} at once"
        raise RefusedError(Refusal.PAYMENT_REFUSED, said=said)


def _check_account(joining: Joining, answer: SignedUp) -> None:
    """Else what is loaded would come onto somebody else's meter. Raises OfficeError WRONG_REPLY."""
    made = account_of(digest(sign1.unverified_payload(joining.signed)))
    if joining.is_new and answer.account != made:
        raise OfficeError(Fault.WRONG_REPLY, "the account is not that of this sign-up")


def _fee(joining: Joining) -> int:
    return read(SignUpRequest, sign1.unverified_payload(joining.signed)).fee
