"""A device's questions, one after the other, over every way in which device and office come and go meanwhile."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import structlog.testing

from control.meter import make_meter
from fob_daemon.control.interface import ControlEvent
from fob_daemon.control.office_reports import OptionsChange, Progress, Relayed
from fob_daemon.device.away import AwayError
from fob_daemon.device.back_office import BackOffice
from fob_daemon.device.timeouts import Timeouts
from fob_daemon.link.fate import FateUnknownError
from fob_daemon.relay.limits import AFTER_FAILURE, RELAY_BURST, RELAY_RATE
from fob_daemon.relay.outcome import Outcome
from fob_daemon.relay.pacing import Bucket
from fob_protocol.at.values import Values
from fob_protocol.office.limits import QUESTION_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.relay import RelayStatus, Waiting
from support.fake_device_office import FakeDeviceOffice
from support.virtual_loop import run_virtually

SECRET = b"\xd0nobody's business"
UNREACHABLE = Outcome(RelayStatus.UNREACHABLE, why="Connection refused")


def question(number: int, service: str = "content") -> Waiting:
    return Waiting(number, service, SECRET + b"%d" % number, "rates 1.2.0", number, 40)


@dataclass
class FakeOffice:
    """Answers each question with its own octets, at once or when `gate` is set. `outcomes` go first."""

    outcomes: list[Outcome] = field(default_factory=list)
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    under_way: int = 0
    most_under_way: int = 0
    closed: bool = False

    def __post_init__(self) -> None:
        self.gate.set()

    async def post(self, service: str, question: bytes) -> Outcome:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.asked.append((service, question))
        self.arrived.put_nowait(question)
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        return self.outcomes.pop(0) if self.outcomes else Outcome(RelayStatus.ANSWERED, b"re: " + question, http=200)

    async def close(self) -> None:
        self.closed = True


@dataclass
class Scene:
    """A device and its back office, and what was told."""

    device: FakeDeviceOffice
    office: FakeOffice
    name: str = "meter"
    told: list[ControlEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.back_office = BackOffice(lambda: self.name, self.device, Timeouts(), self.office, self.told.append)

    async def idle(self) -> None:
        await self.back_office.idle()

    @property
    def results(self) -> list[str]:
        return [event.result for event in self.told if isinstance(event, Relayed)]


@pytest.fixture
def scene() -> Scene:
    return Scene(FakeDeviceOffice(), FakeOffice())


async def test_what_waits_is_carried_one_after_the_other_without_asking_again(scene: Scene) -> None:
    scene.device.wait_with(question(7), question(8, "report"))
    await scene.idle()

    assert scene.office.asked == [("content", SECRET + b"7"), ("report", SECRET + b"8")]
    assert [told[:3] for told in scene.device.told] == [
        (7, 0, b"re: " + SECRET + b"7"),
        (8, 0, b"re: " + SECRET + b"8"),
    ]
    # The answer of one carries the next.
    assert scene.device.asked == ["+FOBRELAY", "+FOBRELAYED", "+FOBRELAYED"]
    assert scene.results == ["answered", "answered"]
    report = scene.back_office.report()
    assert (report.questions, report.failures, report.busy, report.service) == (2, 0, False, "report")
    assert (report.words, report.done, report.total) == ("rates 1.2.0", 8, 40)


async def test_a_question_that_came_with_its_announcement_is_not_asked_for(scene: Scene) -> None:
    scene.device.queue.append(question(7))
    scene.device.say("+FOBRELAY", *question(7).values())
    await scene.idle()
    assert scene.office.asked == [("content", SECRET + b"7")]
    assert scene.device.asked == ["+FOBRELAYED"]


@pytest.mark.parametrize(
    "values",
    [
        question(7).values()[:-1],
        (*question(7).values(), 1),
        (7, "../admin", b"?", "", 0, 0),
        (7, "content", b"", "", 0, 0),
        (7, "content", bytes(QUESTION_LIMIT + 1), "", 0, 0),
        ("7", "content", b"?", "", 0, 0),
    ],
)
async def test_an_announcement_that_does_not_parse_is_one_without_its_question(scene: Scene, values: Values) -> None:
    scene.device.say("+FOBRELAY", *values)
    await scene.idle()
    assert (scene.device.asked, scene.office.asked) == (["+FOBRELAY"], [])


async def test_a_device_that_has_nothing_after_all(scene: Scene) -> None:
    scene.device.say("+FOBRELAY", 7)
    await scene.idle()
    assert (scene.device.asked, scene.office.asked, scene.told) == (["+FOBRELAY"], [], [])


async def test_one_question_at_a_time_however_often_the_device_says_so(scene: Scene) -> None:
    scene.office.gate.clear()
    scene.device.wait_with(question(1))
    for _ in range(1000):
        await asyncio.sleep(0)
        scene.device.say("+FOBRELAY", 1)
    assert (len(scene.office.asked), scene.device.asked) == (1, ["+FOBRELAY"])
    assert scene.back_office.report().busy
    scene.office.gate.set()
    await scene.idle()
    # Said again meanwhile: looked once more, whatever the number of times.
    assert scene.device.asked == ["+FOBRELAY", "+FOBRELAYED", "+FOBRELAY"]


async def test_several_devices_at_the_same_time() -> None:
    office = FakeOffice()
    office.gate.clear()
    scenes = [Scene(FakeDeviceOffice(), office, f"meter {number}") for number in range(5)]
    for scene in scenes:
        scene.device.wait_with(question(1))
    for _ in scenes:
        await office.arrived.get()
    office.gate.set()
    for scene in scenes:
        await scene.idle()
    assert office.most_under_way == len(scenes)
    assert [len(scene.device.queue) for scene in scenes] == [0] * len(scenes)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome(RelayStatus.NO_OFFICE, why="none"), (4, 1, None, None)),
        (UNREACHABLE, (4, 2, None, None)),
        (Outcome(RelayStatus.NOT_ANSWERED, seconds=30, why="503", http=503), (4, 3, None, 30)),
        (Outcome(RelayStatus.NOT_ANSWERED, why="404", http=404), (4, 3, None, None)),
        (Outcome(RelayStatus.TOO_LONG, why="long", http=200), (4, 4, None, None)),
    ],
)
async def test_what_became_of_it_is_told_and_the_device_decides(
    scene: Scene, outcome: Outcome, told: tuple[object, ...]
) -> None:
    scene.office.outcomes = [outcome]
    scene.device.wait_with(question(4))
    await scene.idle()
    assert scene.device.told == [told]
    assert len(scene.device.queue) == 1, "nothing is lost"
    report = scene.back_office.report()
    assert (report.questions, report.failures, report.why) == (1, 1, outcome.why)

    scene.device.say("+FOBRELAY", 4)
    await scene.idle()
    assert (scene.results[-1], scene.back_office.report().failures) == ("answered", 1)
    assert not scene.device.queue


async def test_a_line_that_breaks_while_the_office_thinks_loses_nothing(scene: Scene) -> None:
    scene.office.gate.clear()
    scene.device.wait_with(question(1), question(2))
    await scene.office.arrived.get()
    scene.device.is_away = True
    scene.office.gate.set()
    await scene.idle()
    assert (scene.device.told, len(scene.device.queue)) == ([], 2)

    # A new session: the device says so again, and the same question is carried again.
    scene.device.is_away = False
    scene.device.say("+FOBRELAY", 1)
    await scene.idle()
    assert [service for service, _ in scene.office.asked] == ["content"] * 3
    assert not scene.device.queue


@pytest.mark.parametrize(
    "broken", [AwayError("gone"), FateUnknownError("the link was lost"), CkrError(Ckr.FUNCTION_CANCELED)]
)
async def test_a_device_that_is_back_before_its_old_session_is_given_up(scene: Scene, broken: CkrError) -> None:
    scene.office.gate.clear()
    scene.device.wait_with(question(1))
    await scene.office.arrived.get()
    scene.device.broken = broken
    scene.device.say("+FOBRELAY", 1)
    scene.office.gate.set()
    await scene.idle()
    assert ([told[:2] for told in scene.device.told], len(scene.office.asked)) == ([(1, 0)], 2)


async def test_a_daemon_that_stops_drops_what_is_under_way(scene: Scene) -> None:
    scene.office.gate.clear()
    scene.device.wait_with(question(1))
    await scene.office.arrived.get()
    await scene.back_office.close()
    assert (scene.office.under_way, scene.device.told, len(scene.device.queue)) == (0, [], 1)


async def test_a_question_for_an_office_is_never_logged(scene: Scene) -> None:
    scene.office.outcomes = [UNREACHABLE]
    with structlog.testing.capture_logs() as logs:
        scene.device.wait_with(question(1))
        await scene.idle()
        scene.device.say("+FOBRELAY", 1)
        await scene.idle()
    assert [entry["event"] for entry in logs] == ["relay.failed"]
    assert "nobody's business" not in repr((logs, scene.told, scene.back_office.report()))


@pytest.mark.parametrize(
    "line",
    [
        (1, "../../admin", b"x", "", 0, 0),
        (1, "Registration", b"x", "", 0, 0),
        (1, "a" * 17, b"x", "", 0, 0),
        (1, "", b"x", "", 0, 0),
        (1, "content", b"", "", 0, 0),
        (1, "content", bytes(QUESTION_LIMIT + 1), "", 0, 0),
        (1, "content", "text", "", 0, 0),
        (1, "content", b"x"),
        ("1", "content", b"x", "", 0, 0),
        (1, "content", b"x", "", 0, 0, 0),
    ],
    ids=str,
)
async def test_what_is_no_question_is_not_carried(scene: Scene, line: Values) -> None:
    scene.device.always = line
    with structlog.testing.capture_logs() as logs:
        scene.device.say("+FOBRELAY", 1)
        await scene.idle()
    assert (scene.office.asked, scene.device.asked) == ([], ["+FOBRELAY"])
    assert [entry["event"] for entry in logs] == ["device.background_failed"]


def test_an_office_that_is_away_is_knocked_at_with_a_break() -> None:
    async def main() -> int:
        scene = Scene(FakeDeviceOffice(is_hasty=True), FakeOffice([UNREACHABLE] * 11))
        scene.device.queue.append(question(1))
        scene.device.say("+FOBRELAY", 1)
        await asyncio.sleep(10 * AFTER_FAILURE - 0.01)
        asked = len(scene.office.asked)
        await scene.back_office.close()
        return asked

    assert run_virtually(main()) == 10


def test_a_device_that_has_ever_more_questions_is_slowed_down() -> None:
    async def main() -> tuple[int, int]:
        scene = Scene(FakeDeviceOffice(), FakeOffice())
        scene.device.always = question(1).values()
        scene.device.say("+FOBRELAY", 1)
        await asyncio.sleep(0.001)
        at_once = len(scene.office.asked)
        await asyncio.sleep(10)
        await scene.back_office.close()
        return at_once, len(scene.office.asked) - at_once

    at_once, later = run_virtually(main())
    assert at_once == RELAY_BURST
    assert abs(later - 10 * RELAY_RATE) <= 1


def test_the_bucket_fills_up_again_and_no_further() -> None:
    bucket = Bucket(2, 4.0)
    assert [bucket.take(100.0) for _ in range(4)] == [0.0, 0.0, 0.25, 0.5]
    assert [bucket.take(1000.0) for _ in range(3)] == [0.0, 0.0, 0.25]


def test_progress_is_told_at_a_pace_and_the_last_one_always() -> None:
    async def main() -> list[tuple[float, ControlEvent]]:
        told: list[tuple[float, ControlEvent]] = []
        clock: Callable[[], float] = asyncio.get_running_loop().time
        device = FakeDeviceOffice()
        tell: Callable[[ControlEvent], None] = lambda event: told.append((round(clock(), 2), event))  # noqa: E731
        back_office = BackOffice(lambda: "meter", device, Timeouts(), FakeOffice(), tell)
        for done in range(101):
            device.say("+FOBPROGRESS", done, 100, "fetching")
            await asyncio.sleep(0.005)
        await asyncio.sleep(5)
        device.say("+FOBPROGRESS", 1, "nonsense")
        device.say("+FOBOPTIONS", 7)
        await back_office.close()
        return told

    told = run_virtually(main())
    progress = [(at, event.done) for at, event in told if isinstance(event, Progress)]
    assert [at for at, _ in progress] == [0.0, 0.25, 0.5, 0.75]
    assert (progress[0][1], progress[-1][1]) == (0, 100)
    assert told[-1][1] == OptionsChange("meter", 7)


async def test_a_device_with_a_new_name_goes_on_under_it(scene: Scene) -> None:
    scene.device.wait_with(question(1))
    await scene.idle()
    scene.name = "hall"
    assert scene.back_office.report().device == "hall"


async def test_how_many_components_have_a_newer_version_is_known_until_others_run(scene: Scene) -> None:
    make_meter(scene.device)
    assert scene.back_office.report().newer == 0
    await scene.back_office.remote.options()
    assert scene.back_office.report().newer == 1
    scene.device.say("+FOBOPTIONS", 4)
    assert scene.back_office.report().newer == 0


async def test_what_the_device_is_at_is_known_until_it_is_at_nothing(scene: Scene) -> None:
    assert scene.back_office.report().doing is None
    scene.device.say("+FOBPROGRESS", 3, 40, "fetching Rates")
    assert scene.back_office.report().doing == Progress("meter", "fetching Rates", 3, 40)
    scene.device.say("+FOBPROGRESS", 0, 0, "")
    assert scene.back_office.report().doing is None
