"""Withdrawing a request: before, while and after it runs there is one answer (docs/protocol.md, section 3.2)."""

from fob_protocol.at.answer import Answer
from fob_protocol.limits import OUTSTANDING_LIMIT, WINDOW, WORKING_POLL
from fob_protocol.link.frames import Kind
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.session.responder import Withdraw
from support.session import answer_sent, one_sided, open_session, slow


def test_a_request_that_was_never_sent_is_withdrawn_without_a_word() -> None:
    session = open_session(slow)
    for _ in range(OUTSTANDING_LIMIT):
        session.pc.ask(b"wait")
    extra = session.pc.ask(b"never sent")
    session.wire.settle()
    session.pc.requester.cancel(extra)
    session.pc.requester.cancel(extra)
    session.wire.settle()
    assert session.device.frames_seen == {"REQUEST": OUTSTANDING_LIMIT}
    assert extra not in session.pc.requester.outstanding


def test_a_request_that_waits_for_a_person_is_withdrawn() -> None:
    session = open_session(slow)
    request = session.pc.ask(b"wait")
    session.wire.run_for(1.0)
    session.pc.requester.cancel(request)
    session.wire.settle()
    assert session.device.withdrawn == [0]
    session.device.responder.answer(0, b"+CKR: 80\r\n")
    session.wire.settle()
    assert session.pc.answers[request] == b"+CKR: 80\r\n"


def test_a_withdrawn_request_whose_work_goes_on_does_not_cost_the_link() -> None:
    session = open_session(slow)
    request = session.pc.ask(b"wait")
    session.wire.run_for(1.0)
    session.pc.requester.cancel(request)
    session.wire.run_for(60.0)
    assert session.pc.lost_at is None
    assert session.device.frames_seen["CANCEL"] <= 62
    session.device.responder.answer(0, b"signed all the same")
    session.wire.run_for(1.0)
    assert session.pc.answers[request] == b"signed all the same"
    assert session.device.runs == [(0, b"wait")]


def test_a_withdrawal_that_comes_before_its_request_wins() -> None:
    pc, responder = one_sided()
    assert responder.receive(pc.seal(Kind.CANCEL, 5), 0.0) is None
    assert answer_sent(responder) == Answer(ckr=Ckr.FUNCTION_CANCELED)
    assert responder.receive(pc.seal(Kind.REQUEST, 5, b"AT"), 0.0) is None
    assert answer_sent(responder) == Answer(ckr=Ckr.FUNCTION_CANCELED)


def test_a_withdrawal_after_the_answer_gets_that_answer() -> None:
    pc, responder = one_sided()
    responder.receive(pc.seal(Kind.REQUEST, 0, b"AT"), 0.0)
    responder.answer(0, b"0\r")
    assert answer_sent(responder) == Answer()
    assert responder.receive(pc.seal(Kind.CANCEL, 0), 0.0) is None
    assert answer_sent(responder) == Answer()


def test_a_withdrawal_of_a_running_request_is_told_each_time_and_shows_life() -> None:
    pc, responder = one_sided()
    responder.receive(pc.seal(Kind.REQUEST, 0, b"wait"), 0.0)
    for _ in range(2):
        assert responder.receive(pc.seal(Kind.CANCEL, 0), 0.0) == Withdraw(0)
        assert [frame.kind for frame in responder.due(0.0)] == [Kind.WORKING]


def test_a_withdrawal_below_the_window_is_dropped() -> None:
    pc, responder = one_sided()
    responder.receive(pc.seal(Kind.REQUEST, 100, b"AT"), 0.0)
    assert responder.receive(pc.seal(Kind.CANCEL, 100 - WINDOW), 0.0) is None
    assert (responder.due(0.0), responder.not_opened) == ([], 1)


def test_a_cancelled_request_is_withdrawn_over_a_line_that_loses_the_first_try() -> None:
    session = open_session(slow)
    request = session.pc.ask(b"wait")
    session.wire.run_for(0.5)
    session.wire.cut()
    session.pc.requester.cancel(request)
    session.wire.settle()
    session.wire.mend()
    session.wire.run_until(lambda: bool(session.device.withdrawn), within=2 * WORKING_POLL)
