"""What each entry of the log says of the tables, one entry after another."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from fob_office.centre.auditing.expected import Columns, Expected
from fob_office.centre.auditing.findings import Findings, in_words, short
from fob_office.centre.database.leaves import Answered, PaidBack, Reserved, Sighting, Warned
from fob_office.centre.database.limits import JOURNAL_TIME
from fob_office.centre.journal import place_of, sign_up_place
from fob_office.refusing import RuleBrokenError
from fob_office.registration.names import name_key
from fob_protocol.cose import cbor, mac0, sign1
from fob_protocol.cose.errors import CborError, CoseError
from fob_protocol.cose.headers import key_id
from fob_protocol.metering.answers import Franked, Loaded, Refunded, SignedUp
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.log.entry import Kind
from fob_protocol.metering.records import MeterRecord, UserRecord
from fob_protocol.metering.transaction import TransactionRecord, unverified_transaction
from fob_protocol.metering.vouchers import Receipt, read_receipt
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message, read

# Of no table: the payout that a number of a meter stands for.
PAYOUT_OF: Final = "payouts:number"
_UNREADABLE: Final = (CborError, CoseError, OfficeError, RuleBrokenError)


@dataclass(frozen=True, slots=True)
class _Pending:
    """A transaction, until the meter record that it made comes, which is the next entry."""

    number: int
    record: TransactionRecord
    signed: bytes


class Follower:
    """`providers`: public keys of those who may sign receipts."""

    def __init__(self, expected: Expected, findings: Findings, providers: Collection[bytes]) -> None:
        self._expected = expected
        self._findings = findings
        self._providers = {key_id(key): key for key in providers}
        self._pending: _Pending | None = None

    def follow(self, number: int, kind: int, content: bytes) -> None:
        """The next entry."""
        pending, self._pending = self._pending, None
        try:
            match kind:
                case Kind.TRANSACTION_RECORD:
                    self._transaction(number, content)
                case Kind.METER_RECORD:
                    self._meter(content, pending)
                case Kind.USER_RECORD:
                    self._user(content)
                case Kind.SCAN:
                    self._scan(number, content)
                case Kind.NOTE:
                    self._note(number, content)
        except _UNREADABLE as error:
            self._findings.add("entries", number, "content", "a record", f"what cannot be read: {error}")

    def _transaction(self, number: int, signed: bytes) -> None:
        record = unverified_transaction(signed)
        row: Columns = {"serial": record.serial, "counter": record.counter, "entry": number}
        self._expected.put("transactions", (record.serial, record.counter), row)
        if record.deed == Deed.CREDIT:
            for indicated in record.indicia:
                self._give_back(number, indicated.indicium)
        self._pending = _Pending(number, record, signed)

    def _give_back(self, number: int, indicium: bytes) -> None:
        match cbor.decode(indicium):
            case [1, str() as serial, int() as counter, int() as piece, *_]:
                found = self._piece(digest(indicium), serial, counter, piece)
                if _number(found, "seen") and not _number(found, "given_back"):
                    told = f"entry {number} gives it back"
                    self._findings.add("indicia", digest(indicium).hex(), "given_back", "scanned before it", told)
                self._expected.put("indicia", (digest(indicium),), {**found, "given_back": 1})
            case _:
                raise CborError("no indicium")

    def _piece(self, indicium: bytes, serial: str, counter: int, piece: int) -> Columns:
        """As it was known until now."""
        new: Columns = {"digest": indicium, "serial": serial, "counter": counter, "piece": piece}
        return self._expected.get("indicia", (indicium,)) or new | {"given_back": 0, "seen": 0}

    def _meter(self, signed: bytes, pending: _Pending | None) -> None:
        record = read(MeterRecord, mac0.unchecked_payload(signed))
        row: Columns = {
            "serial": record.serial, "account": record.account, "record": short(signed),
            "counter": record.registers.counter, "funds": record.funds,
        }  # fmt: skip
        self._expected.put("meters", (record.serial,), row)
        if pending is not None and pending.record.after == digest(signed):
            self._done(pending, record)

    def _done(self, done: _Pending, meter: MeterRecord) -> None:
        """The request that a transaction and the record after it are of."""
        record = done.record
        answer = digest(_answer(done, meter))
        self._journal(_place(record, meter), meter.last, answer, record.time)
        if record.deed == Deed.REFUND:
            row: Columns = {
                "id": done.number, "account": meter.account, "serial": meter.serial, "number": record.counter,
                "amount": record.amount, "request": meter.last, "signed": short(done.signed), "receipt": None,
            }  # fmt: skip
            self._expected.put("payouts", (done.number,), row)
            of: Columns = {"id": done.number, "request_id": record.request_id}
            self._expected.put(PAYOUT_OF, (meter.serial, record.counter), of)

    def _journal(self, place: bytes, request: bytes, answer: bytes, time: int) -> None:
        """What came last stands there: a change takes the place of whatever stood in its own."""
        row: Columns = {"id": place, "request": request, "answer": answer, "time": time}
        self._expected.put("journal", (place,), row, time + JOURNAL_TIME)

    def _user(self, signed: bytes) -> None:
        record = read(UserRecord, mac0.unchecked_payload(signed))
        row: Columns = {
            "account": record.account, "name": name_key(record.name), "record": short(signed),
            "counter": record.counter,
        }  # fmt: skip
        self._expected.put("mailers", (record.account,), row)

    def _scan(self, number: int, content: bytes) -> None:
        match cbor.decode(content):
            case [1, str() as serial, int() as counter, int() as piece, bytes() as indicium, int()]:
                said = None
            case _:
                scan = read(Sighting, content)
                serial, counter, piece, indicium = scan.serial, scan.counter, scan.piece, scan.indicium
                said = scan.seen, scan.given_back
        found = self._piece(indicium, serial, counter, piece)
        due = (_number(found, "seen"), _number(found, "given_back"))
        if said not in (None, due):
            there = f"entry {number} says {said}"
            self._findings.add("indicia", indicium.hex(), "seen, given_back", f"{due} before it", there)
        self._expected.put("indicia", (indicium,), {**found, "seen": due[0] + 1})

    def _note(self, number: int, content: bytes) -> None:
        match _elements(content):
            case [3, *_]:
                self._warned(read(Warned, content))
            case [4, *_]:
                self._paid(number, read(PaidBack, content))
            case [5, *_]:
                note = read(Answered, content)
                self._journal(note.id, note.request_digest, note.answer, note.time)
            case [6, *_]:
                self._reserved(read(Reserved, content))

    def _reserved(self, note: Reserved) -> None:
        row: Columns = {"digest": note.indicium, "id": note.id, "is_open": note.is_open}
        self._expected.put("reservations", (note.indicium, note.id), row)

    def _warned(self, note: Warned) -> None:
        before = self._expected.get("warnings", (note.id,))
        if before is not None and not self._expected.is_over("warnings", (note.id,), note.time):
            self._findings.add("warnings", note.id, "", in_words(before["why"]), "another one took its place")
        row: Columns = {
            "id": note.id, "word": note.word, "serial": note.serial, "why": note.why, "time": note.time
        }  # fmt: skip
        self._expected.put("warnings", (note.id,), row, note.time + JOURNAL_TIME)

    def _paid(self, number: int, note: PaidBack) -> None:
        """The provider has to have signed just this."""
        of = self._expected.get(PAYOUT_OF, (note.serial, note.number))
        payout = None if of is None else self._expected.get("payouts", (of["id"],))
        if of is None or payout is None:
            self._findings.add("entries", number, "content", "no such refund", f"{note.serial} {note.number} was paid")
            return
        receipt = self._receipt(note.receipt)
        due = (note.serial, note.number, -_number(payout, "amount"), payout["request"], of["request_id"])
        if receipt is None or due != (
            receipt.serial, receipt.number, receipt.amount, receipt.request_digest, receipt.request_id,
        ):  # fmt: skip
            where = f"{note.serial} {note.number}"
            self._findings.add("payouts", where, "receipt", "a refund", "no receipt of the provider for it")
        self._judge_again(number, note, of)
        noted: Columns = {"noted": number, "receipt": short(note.receipt)}
        self._expected.put(PAYOUT_OF, (note.serial, note.number), noted | of)
        self._expected.put("payouts", (of["id"],), {**payout, "receipt": short(note.receipt)})

    def _judge_again(self, number: int, note: PaidBack, of: Columns) -> None:
        """A refund is noted once: else its receipt was taken out of the table, or it was paid once more."""
        if "noted" not in of:
            return
        is_same = of["receipt"] == short(note.receipt)
        there = f"entry {number}: {'the same one again' if is_same else 'unlawful, another receipt: it was paid twice'}"
        where, paid = f"{note.serial} {note.number}", f"entry {_number(of, 'noted')}: paid"
        self._findings.add("payouts", where, "receipt", paid, there)

    def _receipt(self, signed: bytes) -> Receipt | None:
        try:
            key = self._providers.get(sign1.signer_of(signed))
            return None if key is None else read_receipt(key, signed)
        except (CoseError, OfficeError):
            return None


def without_key(answer: bytes) -> bytes | None:
    """H of an answer to a sign-up, but for the sealed key, which its device alone can judge; None: it is none."""
    try:
        signed_up = read(SignedUp, answer)
    except OfficeError:
        return None
    return digest(SignedUp(signed_up.account, signed_up.serial, b"", signed_up.registers).octets())


def _number(columns: Columns, name: str) -> int:
    found = columns[name]
    return found if isinstance(found, int) else 0


def _place(record: TransactionRecord, meter: MeterRecord) -> bytes:
    """In the journal."""
    if record.deed == Deed.CREATE:
        return sign_up_place(record.request_id)
    return place_of(record.serial, record.request_id, meter.last)


def _answer(done: _Pending, meter: MeterRecord) -> bytes:
    """As the function servers make it."""
    return _message(done, meter).octets()


def _message(done: _Pending, meter: MeterRecord) -> Message:
    match done.record.deed:
        case Deed.CREATE:
            return SignedUp(meter.account, meter.serial, b"", meter.registers)
        case Deed.FRANK:
            return Franked(done.record.indicia, meter.registers, done.signed)
        case Deed.REFUND | Deed.CREDIT:
            return Refunded(meter.registers, done.signed)
    return Loaded(meter.registers, done.signed)


def _elements(content: bytes) -> object:
    """A log order is signed, and no array."""
    try:
        return cbor.decode(content)
    except CborError:
        return None
