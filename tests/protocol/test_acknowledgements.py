"""Which parts of a long request the device acknowledges, and when (docs/protocol.md, section 3.3)."""

import pytest

from fob_protocol.limits import ACKNOWLEDGED_AFTER, PART_SIZE, WORKING_AFTER
from fob_protocol.link.frames import Kind
from fob_protocol.session.acknowledgements import Acknowledgements
from fob_protocol.session.parts import split_text
from support.session import one_sided, open_session, seeded
from support.wire import Direction

# Octets per second, of which one part is more than crosses in a second.
ONE_AT_A_TIME = 600.0


def test_two_parts_are_acknowledged_together_and_at_once() -> None:
    acknowledgements = Acknowledgements()
    acknowledgements.add(7, 0, 0.0)
    assert (acknowledgements.due(0.0), acknowledgements.timers()) == ([], [ACKNOWLEDGED_AFTER])
    acknowledgements.add(7, 1, 0.002)
    assert (acknowledgements.due(0.002), acknowledgements.timers()) == ([(7, 0), (7, 1)], [])


def test_parts_of_two_texts_are_two_parts() -> None:
    acknowledgements = Acknowledgements()
    acknowledgements.add(7, 0, 0.0)
    acknowledgements.add(8, 0, 0.0)
    assert acknowledgements.due(0.0) == [(7, 0), (8, 0)]


def test_one_alone_waits_for_a_moment() -> None:
    acknowledgements = Acknowledgements()
    acknowledgements.add(7, 0, 1.0)
    assert acknowledgements.due(1.0 + ACKNOWLEDGED_AFTER / 2) == []
    assert acknowledgements.due(1.0 + ACKNOWLEDGED_AFTER) == [(7, 0)]
    assert (acknowledgements.due(2.0), acknowledgements.timers()) == ([], [])


def test_a_text_that_is_whole_is_acknowledged_by_its_answer_and_others_are_not() -> None:
    acknowledgements = Acknowledgements()
    for number in (7, 8, 7):
        acknowledgements.add(number, 0, 0.0)
    acknowledgements.forget(7)
    assert (acknowledgements.due(1.0), acknowledgements.timers()) == ([(8, 0)], [])


def test_where_no_answer_comes_working_acknowledges_every_part() -> None:
    pc, responder = one_sided()
    for index, part in enumerate(split_text(bytes(2 * PART_SIZE))):
        responder.receive(pc.seal(Kind.REQUEST_PART, 0, part, part=(index, 2)), 0.0)
    assert (responder.due(0.0), responder.next_timer()) == ([], WORKING_AFTER)
    assert [frame.kind for frame in responder.due(WORKING_AFTER)] == [Kind.WORKING]


@pytest.mark.clause("P7")
def test_of_two_parts_one_that_got_lost_is_sent_again_alone() -> None:
    session = open_session(lambda text: (0.0, text[::-1]))
    session.pc.ask(seeded(1)(2 * PART_SIZE))
    first, second = session.pc.requester.due(0.0)
    session.device.take(first, 0.0)
    (acknowledged,) = session.device.responder.due(ACKNOWLEDGED_AFTER)
    assert (acknowledged.kind, acknowledged.fields) == (Kind.PART_RECEIVED, (0, 0))
    session.pc.take(acknowledged, ACKNOWLEDGED_AFTER)
    assert session.pc.requester.due(0.25) == [second]


@pytest.mark.clause("P7")
def test_a_line_with_room_for_one_part_loses_a_moment_for_each() -> None:
    line = Direction(rate=ONE_AT_A_TIME)
    session = open_session(lambda text: (0.0, b"0\r"), to_device=line, rate=ONE_AT_A_TIME)
    request = session.pc.ask(bytes(4 * PART_SIZE))
    session.wire.run_until(lambda: request in session.pc.answers, within=60)
    assert session.wire.clock.now - line.written / ONE_AT_A_TIME == pytest.approx(3 * ACKNOWLEDGED_AFTER)
    assert session.pc.frames_seen == {"PART_RECEIVED": 3, "ANSWER": 1}
    assert session.counters.sent_again == 0
