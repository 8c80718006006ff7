"""A directory from keys that its asker did not know: taken if the issuer, by that very directory, says whose."""

from functools import partial
from random import Random

import pytest

from fob_protocol.office import envelope
from fob_protocol.office.certificate import Certificate, RevocationList, Usage
from fob_protocol.office.conversation import Speaker
from fob_protocol.office.directory import Servers, ask_directory
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.known import Known
from fob_protocol.office.trust import Trust
from support.office_signers import OfficeSigners
from support.office_trust import DAY, ISSUER, ISSUER_KEY, NOW, OTHER_ISSUER, TestServer, revocations

OLD = TestServer()
_SIGNERS = OfficeSigners(5)
NEW = TestServer(_SIGNERS.signing_key(), _SIGNERS.sealing_key())


def certificate(server: TestServer, epoch: int, name: str = "config", **changes: object) -> Certificate:
    return server.certificate(server=name, usages=(Usage.CONFIGURATION,), epoch=epoch, **changes)


def known(list_: RevocationList | None = None, **epochs: int) -> Known:
    return Known(Trust(ISSUER_KEY, revocations=list_, epochs=epochs))


def heard(
    asker: Known, *certificates: bytes, by: TestServer = NEW, listed: RevocationList | None = None, clock: int = NOW
) -> Fault | None:
    """What an asker who knows the old keys makes of a directory."""
    conversation = ask_directory(
        Speaker(certificate(OLD, 3), Random(1).randbytes), partial(asker.successor, "config", clock)
    )
    asked = next(conversation)
    question = envelope.open_question(OLD.sealing, Service.DIRECTORY, asked.sealed)
    body = Servers(certificates, (listed or revocations(6, {"config": 4})).signed(ISSUER)).octets()
    try:
        asked.open(envelope.seal_answer(by.signing, Service.DIRECTORY, question, asked.sealed, NOW, body))
    except OfficeError as error:
        return error.fault
    return None


NEWER = certificate(NEW, 4).signed(ISSUER)


@pytest.mark.clause("R27")
def test_the_newest_keys_may_answer_for_the_old_ones() -> None:
    assert heard(known(), NEWER) is None
    assert heard(known(revocations(), config=3), NEWER) is None
    # By the time that the directory tells: a clock that stands still is no way out.
    assert heard(known(), NEWER, clock=0) is None


@pytest.mark.clause("R9", "R27")
@pytest.mark.parametrize(
    ("asker", "answer", "listed", "fault"),
    [
        # Nobody but the issuer says whose keys they are, of which server, for what, and since when.
        (known(), certificate(NEW, 4).signed(OTHER_ISSUER), None, Fault.WRONG_ISSUER),
        (known(), certificate(NEW, 4, "shop").signed(ISSUER), None, Fault.OTHER_SERVER),
        (known(), NEW.certificate(server="config", epoch=4).signed(ISSUER), None, Fault.OTHER_USAGE),
        (known(), certificate(NEW, 4, not_after=NOW - 1).signed(ISSUER), None, Fault.OTHER_SERVER),
        # Keys that are revoked themselves, or older than others that were seen.
        (known(), certificate(NEW, 4).signed(ISSUER), revocations(6, {"config": 5}), Fault.OTHER_SERVER),
        (known(None, config=5), certificate(NEW, 4).signed(ISSUER), None, Fault.OTHER_SERVER),
        # Lists of before, and lists that are over.
        (known(revocations(7)), NEWER, None, Fault.LIST_ROLLBACK),
        (known(revocations(5, {"shop": 2})), NEWER, None, Fault.LIST_ROLLBACK),
        (known(), NEWER, revocations(6, {"config": 4}, until=NOW - DAY), Fault.LIST_EXPIRED),
    ],
)
def test_others_may_not(asker: Known, answer: bytes, listed: RevocationList | None, fault: Fault) -> None:
    assert heard(asker, answer, listed=listed) is fault


@pytest.mark.clause("R9", "R27")
def test_keys_that_the_directory_does_not_name_may_not() -> None:
    assert heard(known(), NEWER, by=TestServer(_SIGNERS.signing_key())) is Fault.WRONG_SIGNATURE


@pytest.mark.clause("R27")
def test_no_other_answer_is_taken_from_other_keys() -> None:
    asked = envelope.ask(certificate(OLD, 3), Service.CONFIGURATION, b"body", Random(1).randbytes)
    question = envelope.open_question(OLD.sealing, Service.CONFIGURATION, asked.sealed)
    with pytest.raises(OfficeError) as caught:
        asked.open(envelope.seal_answer(NEW.signing, Service.CONFIGURATION, question, asked.sealed, NOW, NEWER))
    assert caught.value.fault is Fault.WRONG_SIGNATURE
