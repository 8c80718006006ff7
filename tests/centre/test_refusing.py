"""How the words of the data centre's processes reach devices and operators."""

import pytest

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.function.refusing import refusal_of, refused, refusing_operators
from fob_office.centre.operating.operator import told
from fob_office.centre.words import Word
from fob_office.errors import OperatorError
from fob_protocol.cose import mac0
from fob_protocol.metering.records import MeterRecord
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal

RUBBISH = b"what staff wrote over a record"


def unreadable() -> None:
    read(MeterRecord, mac0.unchecked_payload(RUBBISH))


@pytest.mark.clause("X8")
@pytest.mark.parametrize(
    ("word", "refusal", "clause"),
    [
        (Word.INSUFFICIENT_FUNDS, Refusal.INSUFFICIENT_FUNDS, "M24"),
        (Word.STALE, Refusal.LATE, "M21"),
        (Word.MALFORMED, Refusal.MALFORMED, "X8"),
        (Word.TAMPERING, Refusal.TAMPERING, "M22"),
        (Word.EPOCH_ROLLBACK, Refusal.TAMPERING, "M22"),
        (Word.NEWER_STANDING, Refusal.TAMPERING, "M22"),
        (Word.TAMPERED, Refusal.TAMPERING, "M22"),
        (Word.CONFLICT, Refusal.UNAVAILABLE, "X8"),
        (Word.FAILED, Refusal.UNAVAILABLE, "X8"),
    ],
)
def test_a_device_is_told_what_boxes_say_in_its_own_words(word: str, refusal: Refusal, clause: str) -> None:
    error = refusal_of(BusRefusedError(word, "why"))
    assert (error.refusal, error.clause, error.why) == (refusal, clause, "why")


def test_an_operator_is_refused_by_the_word_of_the_rule() -> None:
    with pytest.raises(BusRefusedError, match="no-account: there is no meter FM01"), refusing_operators():
        raise refused(Refusal.NO_ACCOUNT, "there is no meter FM01")
    with pytest.raises(BusRefusedError, match="malformed"), refusing_operators():
        unreadable()


def test_an_operator_hears_that_the_database_holds_rubbish() -> None:
    with pytest.raises(OperatorError) as error, told("the meters are not known"):
        unreadable()
    assert error.value.what == "the meters are not known"
    assert error.value.why.startswith("what is kept there cannot be read: ")
