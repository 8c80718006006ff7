"""Events of the device: sent until they are received, told once (docs/protocol.md, section 3.4)."""

import pytest

from fob_protocol.limits import EVENT_TRIES, EVENTS_IN_FLIGHT, EVENTS_WAITING
from fob_protocol.link.frames import Frame, Kind
from fob_protocol.session.pace import Pace
from fob_protocol.session.records import Sealer
from fob_protocol.session.responder import Responder
from support.footprint import octets_held
from support.noise import OctetNoise
from support.session import one_sided, open_session, session_keys
from support.wire import Direction


def test_an_event_is_told_and_acknowledged() -> None:
    session = open_session()
    session.device.responder.emit(b"+FOBGEN: 1", 0.0)
    session.wire.settle()
    assert session.pc.events == [b"+FOBGEN: 1"]
    assert session.device.frames_seen == {"EVENT_RECEIVED": 1}
    session.wire.run_for(60.0)
    assert session.pc.frames_seen == {"EVENT": 1}


def sending_times(responder: Responder) -> list[float]:
    """When the device sends its event while nobody acknowledges it."""
    times = []
    while (timer := responder.next_timer()) is not None:
        times += [timer] * len(responder.due(timer))
    return times


def test_an_event_is_sent_again_after_1_2_4_and_8_seconds_and_then_given_up() -> None:
    _, responder = one_sided()
    responder.emit(b"+FOBGEN: 1", 10.0)
    times = sending_times(responder)
    assert times == [10.0, 11.0, 13.0, 17.0, 25.0]
    assert len(times) == EVENT_TRIES


def test_an_event_that_is_taken_back_is_not_sent_again() -> None:
    _, responder = one_sided()
    first, second = (responder.emit(b"+FOBGEN: %d" % number, 0.0) for number in range(2))
    assert [frame.fields[0] for frame in responder.due(0.0)] == [first, second]
    responder.retract(first)
    assert [responder.is_waiting(number) for number in (first, second, -1)] == [False, True, False]
    assert [frame.fields[0] for frame in responder.due(1.0)] == [second]
    responder.retract(first)
    responder.retract(second)
    assert responder.next_timer() is None


def test_an_event_whose_acknowledgement_was_lost_is_told_once() -> None:
    session = open_session()
    session.wire.to_device.cut()
    session.device.responder.emit(b"+FOBGEN: 1", 0.0)
    session.wire.run_for(4.0)
    assert session.pc.frames_seen == {"EVENT": 3}
    session.wire.mend()
    session.wire.run_for(60.0)
    assert session.pc.events == [b"+FOBGEN: 1"]
    assert session.pc.frames_seen == {"EVENT": 4}


@pytest.mark.parametrize("seed", range(3))
def test_over_a_line_that_loses_each_event_is_told_at_most_once_and_nearly_all_are(seed: int) -> None:
    to_device, to_pc = (Direction(0.01, noise=OctetNoise(0.004, seed + way)) for way in (0, 100))
    session = open_session(to_device=to_device, to_pc=to_pc)
    sent = [b"+FOBGEN: %d" % number for number in range(300)]
    for event in sent:
        session.device.responder.emit(event, session.wire.clock.now)
        session.wire.run_for(1.0)
    session.wire.run_for(60.0)
    assert len(session.pc.events) == len(set(session.pc.events))
    assert set(session.pc.events) <= set(sent)
    assert len(session.pc.events) >= len(sent) - 1


def test_a_device_that_nobody_hears_holds_a_bounded_number_of_events_the_newest() -> None:
    _, responder = one_sided()
    for number in range(1_000):
        responder.emit(b"+FOBGEN: %d" % number, 0.0)
        assert octets_held(responder) < EVENTS_WAITING * 50 + 100
    frames = responder.due(0.0)
    assert [frame.fields[0] for frame in frames] == list(range(1_000 - EVENTS_WAITING, 1_000))


def test_over_a_line_with_a_speed_few_events_are_under_way_at_once() -> None:
    pc_keys, device_keys = session_keys()
    pc, responder = Sealer(pc_keys.send), Responder(device_keys, lambda: Pace(960.0))
    for number in range(10):
        responder.emit(b"+FOBGEN: %d" % number, 0.0)
    assert [frame.fields[0] for frame in responder.due(0.0)] == list(range(EVENTS_IN_FLIGHT))
    assert responder.next_timer() == Pace(960.0).event_retry(1)
    responder.receive(pc.seal(Kind.EVENT_RECEIVED, 2), 0.1)
    assert [frame.fields[0] for frame in responder.due(0.1)] == [EVENTS_IN_FLIGHT]
    # A line without a speed of its own, and a quick one, take all at once.
    assert Pace().events_in_flight == EVENTS_WAITING
    assert Pace(92_160.0).events_in_flight > EVENTS_WAITING


def event(number: int) -> Frame:
    """An event as this session's device would seal it."""
    return Sealer(session_keys()[1].send).seal(Kind.EVENT, number, b"+FOBGEN: %d" % number)


def test_events_in_another_order_are_all_told_and_replays_are_not() -> None:
    session = open_session()
    for number in (3, 1, 2, 0, 3, 1, 2, 0):
        session.pc.take(event(number), 0.0)
    assert session.pc.events == [b"+FOBGEN: 3", b"+FOBGEN: 1", b"+FOBGEN: 2", b"+FOBGEN: 0"]
    assert [frame.fields[0] for frame in session.pc.requester.due(0.0)] == [3, 1, 2, 0, 3, 1, 2, 0]


def test_an_event_far_behind_is_acknowledged_but_not_told() -> None:
    session = open_session()
    session.pc.take(event(EVENTS_WAITING + 5), 0.0)
    session.pc.take(event(5), 0.0)
    session.pc.take(event(6), 0.0)
    assert session.pc.events == [b"+FOBGEN: %d" % (EVENTS_WAITING + 5), b"+FOBGEN: 6"]


def test_what_the_pc_remembers_of_events_is_bounded() -> None:
    session = open_session()
    for number in range(5_000):
        session.pc.take(event(number), 0.0)
        session.pc.requester.due(0.0)
    assert len(session.pc.events) == 5_000
    session.pc.take(event(4_999), 0.0)
    assert len(session.pc.events) == 5_000
    assert octets_held(session.pc.requester) < 1_000


def test_an_acknowledgement_of_no_event_changes_nothing() -> None:
    pc, responder = one_sided()
    responder.receive(pc.seal(Kind.EVENT_RECEIVED, 7), 0.0)
    responder.emit(b"+FOBGEN: 1", 0.0)
    assert len(responder.due(0.0)) == 1
    responder.receive(pc.seal(Kind.EVENT_RECEIVED, 0), 0.0)
    assert responder.next_timer() is None
