"""A Store, taken apart: what was attested, and what the database finds it by. No box trusts these columns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.database import NewRecord, Payout, Store
from fob_office.centre.database.leaves import Answered, Gap, Leaf, MailerGap, leaf
from fob_office.centre.database.limits import ANSWER_LIMIT, SERIAL_LIMIT, TRANSACTION_LIMIT
from fob_office.centre.following import ID_SIZE
from fob_office.centre.words import Word
from fob_office.refusing import RuleBrokenError
from fob_office.registration.names import name_key
from fob_protocol.cose import cbor, mac0, sign1
from fob_protocol.cose.errors import CborError, CoseError, SignatureError
from fob_protocol.cose.labels import Label
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.limits import LOGIN_NAME_LIMIT, RECORD_LIMIT
from fob_protocol.metering.log.entry import Kind
from fob_protocol.office.hashing import DIGEST_SIZE, digest
from fob_protocol.office.limits import COUNT_LIMIT

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows of one Store, and what the log gets of it, the transaction record first.

    A row of meter or mailer takes the place of the one under `key` with the counter `before`; null: there is none.
    """

    journal: Row
    meter: Row | None
    mailer: Row | None
    transaction: Row | None
    given_back: tuple[Row, ...]
    payout: Row | None
    leaves: tuple[Leaf, ...]


def prepare(store: Store, now: int, signer: Callable[[bytes], bytes]) -> Prepared:
    """`signer`: the public key of the transaction box with this key id.

    Raises BusRefusedError MALFORMED; TAMPERING for what no transaction box signed, or a meter record that is not the
    one which it signed for.
    """
    if len(store.place) != ID_SIZE or len(store.request_digest) != DIGEST_SIZE:
        raise malformed(f"a place in the journal has {ID_SIZE} octets, and H of a request {DIGEST_SIZE}")
    if len(store.answer) > ANSWER_LIMIT:
        raise malformed(f"an answer over {ANSWER_LIMIT} octets")
    check_serial(store.serial)
    meter = None if store.meter is None else meter_row(store.meter, store.serial)
    mailer: Row | None = None
    transaction: Row | None = None
    given_back: tuple[Row, ...] = ()
    time = now
    if store.user is not None:
        mailer, time = _mailer(store.user, store.name)
    if store.transaction is not None:
        transaction, given_back, time = _transaction(store.transaction, meter, signer)
    elif meter is not None:
        raise malformed("a meter record without its transaction")
    check_number(time)
    return Prepared(
        {"id": store.place, "request": store.request_digest, "answer": store.answer, "time": time},
        meter,
        mailer,
        transaction,
        given_back,
        None if store.payout is None else _payout(store.payout),
        (*_leaves(store, meter, mailer, now), *_answered(store, time)),
    )


def malformed(why: str) -> BusRefusedError:
    """To be raised."""
    return BusRefusedError(Word.MALFORMED, why)


def check_serial(serial: str) -> None:
    """Raises BusRefusedError MALFORMED."""
    if not serial:
        raise malformed("a serial number of nothing")
    check_text(serial, SERIAL_LIMIT)


def check_text(text: str, limit: int) -> None:
    """Raises BusRefusedError MALFORMED for more characters, and for what PostgreSQL has no text for."""
    if len(text) > limit or "\0" in text:
        raise malformed(f"a text over {limit} characters, or with an octet of zero in it")


def check_size(octets: bytes, limit: int) -> None:
    """Raises BusRefusedError MALFORMED."""
    if len(octets) > limit:
        raise malformed(f"more than {limit} octets")


def check_number(*numbers: int) -> None:
    """Raises BusRefusedError MALFORMED for what a database would not hold."""
    if not all(0 <= number <= COUNT_LIMIT for number in numbers):
        raise malformed("a number that there is not")


def name_of(name: str) -> str:
    """As names are compared. Raises BusRefusedError MALFORMED."""
    if len(name) > LOGIN_NAME_LIMIT:
        raise malformed(f"a name over {LOGIN_NAME_LIMIT} characters")
    try:
        return name_key(name)
    except RuleBrokenError as error:
        raise malformed(error.why) from None


def _record(new: NewRecord) -> cbor.Value:
    if len(new.record) > RECORD_LIMIT:
        raise malformed(f"a record over {RECORD_LIMIT} octets")
    try:
        return cbor.decode(mac0.unchecked_payload(new.record))
    except (CborError, CoseError) as error:
        raise malformed(f"that is no record: {error}") from None


def _check_following(before: int | None, counter: int) -> None:
    check_number(counter)
    if before is not None and not 0 <= before < counter:
        raise malformed("a record takes the place of an earlier one")


def meter_row(new: NewRecord, serial: str) -> Row:
    """What its columns say. Raises BusRefusedError MALFORMED."""
    match _record(new):
        case [1, str() as own, bytes() as account, _, _, [int() as counter, *_], _, int() as funds, *_]:
            pass
        case _:
            raise malformed("that is no meter record")
    if own != serial or new.key != serial.encode():
        raise malformed("the meter record is of another meter")
    _check_following(new.counter_before, counter)
    check_number(funds)
    return {
        "key": serial, "before": new.counter_before,
        "account": account, "record": new.record, "counter": counter, "funds": funds,
    }  # fmt: skip


def _mailer(new: NewRecord, name: str | None) -> tuple[Row, int]:
    """Its row, and when it was signed."""
    match _record(new):
        case [1, bytes() as account, _, _, _, _, _, int() as counter, _, _, _, _, int() as time, _]:
            pass
        case _:
            raise malformed("that is no user record")
    if account != new.key:
        raise malformed("the user record is of another mailer")
    _check_following(new.counter_before, counter)
    row: Row = {"key": account, "before": new.counter_before, "record": new.record, "counter": counter}
    if new.counter_before is None:
        if name is None:
            raise malformed("a new mailer has a name")
        row["name"] = name_of(name)
    return row, time


def _transaction(
    signed: bytes, meter: Row | None, signer: Callable[[bytes], bytes]
) -> tuple[Row, tuple[Row, ...], int]:
    """Its row, the indicia that it gives back, and when it was done."""
    if len(signed) > TRANSACTION_LIMIT:
        raise malformed(f"a transaction record over {TRANSACTION_LIMIT} octets")
    try:
        key = signer(sign1.signer_of(signed))
        record = cbor.decode(sign1.verify(key, Label.TRANSACTION_RECORD, [], signed))
    except SignatureError as error:
        raise BusRefusedError(Word.TAMPERING, f"a transaction record: {error}") from None
    except (CborError, CoseError) as error:
        raise malformed(f"that is no transaction record: {error}") from None
    match record:
        case [
            1, _, str() as serial, int() as deed, int() as counter,
            _, _, _, _, _, [*indicia], _, int() as time, _, bytes() as after, _,
        ]:  # fmt: skip
            pass
        case _:
            raise malformed("that is no transaction record")
    if meter is None or (serial, counter) != (meter["key"], meter["counter"]):
        raise malformed("the transaction record is of another record than the meter's")
    if after != digest(meter["record"]):
        raise BusRefusedError(Word.TAMPERING, "the meter record is not the one that the transaction made")
    given_back = tuple(map(_given_back, indicia)) if deed == Deed.CREDIT else ()
    return {"serial": serial, "counter": counter}, given_back, time


def _given_back(indicated: cbor.Value) -> Row:
    match indicated:
        case [bytes() as indicium, bytes()]:
            serial, counter, piece = place_of(indicium)
            return {"digest": digest(indicium), "serial": serial, "counter": counter, "piece": piece}
    raise malformed("that is no indicium")


def place_of(indicium: bytes) -> tuple[str, int, int]:
    """Serial, counter and piece of an indicium. Raises BusRefusedError MALFORMED."""
    try:
        elements = cbor.decode(indicium)
    except CborError as error:
        raise malformed(f"that is no indicium: {error}") from None
    match elements:
        case [1, str() as serial, int() as counter, int() as piece, *_]:
            check_serial(serial)
            check_number(counter, piece)
            return serial, counter, piece
    raise malformed("that is no indicium")


def _payout(payout: Payout) -> Row:
    check_serial(payout.serial)
    check_number(payout.number, payout.amount)
    check_size(payout.transaction, TRANSACTION_LIMIT)
    if len(payout.account) != ID_SIZE or len(payout.request_digest) != DIGEST_SIZE:
        raise malformed("a payout without account or request")
    return {
        "account": payout.account, "serial": payout.serial, "number": payout.number, "amount": payout.amount,
        "request": payout.request_digest, "signed": payout.transaction,
    }  # fmt: skip


def _leaves(store: Store, meter: Row | None, mailer: Row | None, now: int) -> tuple[Leaf, ...]:
    leaves = []
    if store.transaction is not None:
        leaves.append(leaf(Kind.TRANSACTION_RECORD, store.transaction))
    if store.meter is not None:
        leaves.append(leaf(Kind.METER_RECORD, store.meter.record))
    if store.user is not None:
        leaves.append(leaf(Kind.USER_RECORD, store.user.record))
    if meter is not None and (before := meter["before"]) is not None and meter["counter"] != before + 1:
        leaves.append(leaf(Kind.NOTE, Gap(store.serial, before, meter["counter"], now).octets()))
    if mailer is not None and (before := mailer["before"]) is not None and mailer["counter"] != before + 1:
        leaves.append(leaf(Kind.NOTE, MailerGap(mailer["key"], before, mailer["counter"], now).octets()))
    return tuple(leaves)


def _answered(store: Store, time: int) -> Iterator[Leaf]:
    """Where no transaction says it."""
    if store.transaction is None:
        answered = Answered(store.place, store.request_digest, digest(store.answer), time)
        yield leaf(Kind.NOTE, answered.octets())
