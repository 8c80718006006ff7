"""The device's end of docs/protocol.md, section 4.4: behind it a data centre of one meter, which counts payments."""

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_protocol.at.values import Values
from fob_protocol.metering.faults import MeterFault
from fob_protocol.metering.indicium import Indicium, addressee_digest, make_token
from fob_protocol.metering.kinds import Deed, Payment
from fob_protocol.metering.transaction import TransactionRecord
from fob_protocol.metering.values import Indicated
from fob_protocol.office.message import read
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.fake_device_office import FakeDeviceOffice
from support.indicia import TOKEN_KEY

BOX = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
ACCOUNT = bytes(range(16))
SERIAL = "FM07000000019"
KIND = "eur-cent"
DATE = 20261121
TIME = 1_795_000_000
# Of a letter of 20 g.
POSTAGE = 95
NO_RATE = "the rates have no price for it"
PIECE_VALUES = 7


@dataclass
class FakeMeter:
    """`paid` has each order that the data centre did, with its amount: whoever stands there twice paid twice.

    `questions` are those to the person, who says `answer`; `refusal` is the data centre's next.
    """

    device: FakeDeviceOffice
    stage: str = "ready"
    name: str = "ada"
    serial: str = SERIAL
    counter: int = 1
    ascending: int = 0
    descending: int = 0
    pieces: int = 0
    owed: int = 0
    fault: str = ""
    fee: int = 0
    payment: Payment = Payment.PREPAID
    # Seconds that its clock is.
    ahead: int = 0
    paid: list[tuple[bytes, int]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    answer: bool = True
    refusal: CkrError | None = None
    joined: list[Values] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    # What is kept of one order: its id, the values that it was for, the result.
    kept: tuple[bytes, Values, Values | None] | None = None
    # The order whose result was taken last, or of which none will be heard.
    over: bytes | None = None
    # The data centre does what it is asked, and its answer does not arrive.
    is_unanswered: bool = False
    needs_pin: bool = False
    time: int = TIME
    # What it counts, as far as the device has heard.
    kind: str = KIND

    def __post_init__(self) -> None:
        self.device.handlers |= {
            "+FOBMETER": self._state,
            "+FOBMETERTERMS": lambda values: ((500, 0), (KIND,), ("pages",)),
            "+FOBMETERSIGNUP": self._sign_up,
            "+FOBMETERSIGNON": self._sign_on,
            "+FOBMETERABOUT": self._about,
            "+FOBMETERRATE": self._rate,
            "+FOBMETERFRANK": self._order_frank,
            "+FOBMETERLOAD": lambda values: self._order(values, 2, self._load),
            "+FOBMETERREFUND": lambda values: self._order(values, 4, self._refund),
            "+FOBMETERRESULT": self._result,
            "+FOBMETERTAKEN": self._taken,
            "+FOBMETERHISTORY": self._history,
        }

    @property
    def loads(self) -> int:
        return self.ascending + self.descending

    def rich(self, amount: int = 100_000) -> "FakeMeter":
        """With so much on it."""
        self._transact(Deed.LOAD, amount, descending=amount)
        return self

    def become(self, serial: str, name: str) -> "FakeMeter":
        """Another mailer signed up at the device, whose meter counts from the beginning."""
        self.serial, self.name, self.records = serial, name, []
        self.counter, self.ascending, self.descending, self.pieces = 1, 0, 0, 0
        return self

    def _state(self, values: Values) -> tuple[Values, ...]:
        order, word = (
            (None, None) if self.kept is None else (self.kept[0], "asking" if self.kept[2] is None else "done")
        )
        if self.stage == "none":
            return (("none", "", None, "", "", 0, 0, 0, 0, 0, 0, 0, 0, order, word, ""),)
        return (
            (
                self.stage, self.name, ACCOUNT, self.serial, self.kind, *self._registers(), 1,
                int(self.payment), order, word,
                self.fault, self.fee, self.ahead or None,
            ),
        )  # fmt: skip

    def _registers(self) -> tuple[int, ...]:
        return self.counter, self.ascending, self.descending, self.pieces, self.loads, self.owed

    def _sign_up(self, values: Values) -> tuple[Values, ...]:
        self.joined.append(values)
        self.stage = "ready"
        return ((ACCOUNT, self.serial),)

    def _sign_on(self, values: Values) -> tuple[Values, ...]:
        self.joined.append(values)
        self.stage, self.fault = "ready", ""
        if self.kept is not None and self.kept[2] is None:
            self.over, self.kept = self.kept[0], None
        return ((ACCOUNT, self.serial),)

    def _about(self, values: Values) -> tuple[Values, ...]:
        return ((1, 1, 10_000, 50_000, 0, 95, 20_779, 1000, 5000, 12, b"checkpoint"), ("10115",), ("20095",))

    def _rate(self, values: Values) -> tuple[Values, ...]:
        """Nothing goes to the moon."""
        return (tuple(NO_RATE if zone == "moon" else POSTAGE for zone in values[3::3]),)

    def _history(self, values: Values) -> tuple[Values, ...]:
        [after] = values
        assert isinstance(after, int)
        return tuple((record,) for record in self.records[after:][:5])

    def _order_frank(self, values: Values) -> tuple[Values, ...]:
        if values[2] not in (None, self.serial) and (self.kept is None or self.kept[0] != values[0]):
            self._check_unused(values[0])
            raise CkrError(Ckr.GENERAL_ERROR, MeterFault.OTHER_METER)
        if self.kept is None:
            self._check_pieces(values[5:])
        return self._order(values, 3, self._frank)

    def _check_pieces(self, rest: Values) -> None:
        """Before the person is asked."""
        if "moon" in rest[2::PIECE_VALUES]:
            raise CkrError(Ckr.ARGUMENTS_BAD)
        if not {None, "10115", "20095"}.issuperset(rest[6::PIECE_VALUES]):
            raise CkrError(Ckr.FUNCTION_REJECTED, "wrong-origin")

    def _order(self, values: Values, named: int, do: Callable[[Values, Values], None]) -> tuple[Values, ...]:
        order, wanted = values[0], (*values[1:named], *values[named + 2 :])
        assert isinstance(order, bytes)
        if self.stage != "ready":
            raise CkrError(Ckr.GENERAL_ERROR, "no-account")
        if self.needs_pin:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN)
        if self.kept is None:
            self._check_unused(order)
            if self.fault:
                raise CkrError(Ckr.GENERAL_ERROR, self.fault)
            self._approved(order, wanted, do)
        elif self.kept[0] != order:
            raise CkrError(Ckr.GENERAL_ERROR, MeterFault.NOT_TAKEN)
        elif self.kept[1] != wanted:
            raise CkrError(Ckr.GENERAL_ERROR, MeterFault.ID_USED)
        return self._result((order,))

    def _approved(self, order: bytes, wanted: Values, do: Callable[[Values, Values], None]) -> None:
        self.questions.append(f"order {len(self.questions) + 1}")
        if not self.answer:
            raise CkrError(Ckr.FUNCTION_REJECTED, "refused on the device")
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal
        do((order,), wanted)
        self.kept = order, wanted, None if self.is_unanswered else self._answer()

    def _answer(self) -> Values:
        return (*self._registers(), self.records[-1])

    def _result(self, values: Values) -> tuple[Values, ...]:
        if self.kept is None or self.kept[0] != values[0]:
            self._check_unused(values[0])
            raise CkrError(Ckr.ARGUMENTS_BAD, "no such order is kept")
        order, wanted, result = self.kept
        if self.is_unanswered:
            raise CkrError(Ckr.GENERAL_ERROR, "unreachable")
        result = result or self._answer()
        self.kept = order, wanted, result
        return (result,)

    def _taken(self, values: Values) -> tuple[Values, ...]:
        if self.kept is not None and self.kept[0] == values[0]:
            if self.kept[2] is None:
                raise CkrError(Ckr.GENERAL_ERROR, MeterFault.ASKING)
            self.over, self.kept = self.kept[0], None
        return ()

    def _check_unused(self, order: object) -> None:
        if order == self.over:
            raise CkrError(Ckr.GENERAL_ERROR, MeterFault.ID_USED)

    def _frank(self, order: Values, wanted: Values) -> None:
        rest = wanted[2:]
        # What is absent at the end of a line is not written.
        rest += (None,) * (-len(rest) % PIECE_VALUES)
        asked = [rest[start : start + PIECE_VALUES] for start in range(0, len(rest), PIECE_VALUES)]
        amounts = [POSTAGE if amount is None else int(str(amount)) for _, _, _, amount, *_ in asked]
        total = sum(amounts)
        if total > self.descending:
            raise CkrError(Ckr.FUNCTION_REJECTED, "insufficient-funds")
        ascending, indicia = self.ascending, []
        for number, (piece, amount) in enumerate(zip(asked, amounts, strict=True)):
            ascending += amount
            _, service, _, _, destination, address, origin = piece
            indicium = Indicium(
                self.serial, self.counter + 1, number, amount, self.kind or KIND, DATE, str(origin or "10115"),
                str(destination), addressee_digest(str(address)), str(service), ascending, 1,
            )  # fmt: skip
            indicia.append(Indicated(indicium.octets(), make_token(TOKEN_KEY, indicium)))
        self._pay(order, total)
        self._transact(Deed.FRANK, total, ascending=total, descending=-total, indicia=tuple(indicia))

    def _load(self, order: Values, wanted: Values) -> None:
        amount = int(str(wanted[0]))
        self._pay(order, amount)
        self._transact(Deed.LOAD, amount, descending=amount)

    def _refund(self, order: Values, wanted: Values) -> None:
        amount, indicium, token = (*wanted, None, None)[:3]
        if amount is None:
            assert isinstance(indicium, bytes)
            assert isinstance(token, bytes)
            given_back = read(Indicium, indicium).amount
            self._pay(order, given_back)
            unused = (Indicated(indicium, token),)
            self._transact(Deed.CREDIT, given_back, descending=given_back, indicia=unused)
        else:
            self._pay(order, int(str(amount)))
            self._transact(Deed.REFUND, int(str(amount)), descending=-int(str(amount)))

    def _pay(self, order: Values, amount: int) -> None:
        assert isinstance(order[0], bytes)
        self.paid.append((order[0], amount))

    def _transact(
        self, deed: Deed, amount: int, *, ascending: int = 0, descending: int = 0, indicia: tuple[Indicated, ...] = ()
    ) -> None:
        self.counter += 1 if self.records else 0
        self.ascending += ascending
        self.descending += descending
        self.pieces += len(indicia) if deed is Deed.FRANK else 0
        record = TransactionRecord(
            bytes(16), self.serial, deed, self.counter, amount, self.ascending, self.descending, self.loads,
            self.pieces, indicia, None, self.time + self.counter, bytes(32), bytes(32),
        )  # fmt: skip
        self.records.append(record.signed(BOX))
