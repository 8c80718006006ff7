"""What a follower of the daemon knows: reports and events in, the present state out. No I/O in here."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from fob_daemon.control.sse import ServerEvent
from fob_protocol.time_left import TimeLeft

# As many as a high terminal shows.
USES_KEPT: Final = 100

# Seconds that a device's task stays on the screen when nothing more is heard of it: a step takes half a minute on the
# slowest lines that anybody fetches components over, and one whose line was cut is looked for here.
TASK_SHOWN: Final = 60.0

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What stands on a phone's screen. `until`: on the follower's clock, in seconds."""

    device: str
    words: str
    until: float


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a phone does without asking, until a time on the follower's clock."""

    device: str
    number: int
    words: str
    until: float


@dataclass(frozen=True, slots=True)
class Task:
    """What a device does for its back office: how far, what is in the way, how long still. `until`: shown so long."""

    device: str
    words: str
    done: int
    total: int
    why: str
    until: float
    time_left: TimeLeft


@dataclass(frozen=True, slots=True)
class Rate:
    """What crosses a link in a second, over the time between the last two reports."""

    round_trips: float = 0.0
    bytes_sent: float = 0.0
    bytes_received: float = 0.0


@dataclass(slots=True)
class Known:
    """`status` is the daemon's report; `lost` counts the events that this follower was too slow for."""

    status: Report = field(default_factory=dict)
    uses: deque[Report] = field(default_factory=lambda: deque(maxlen=USES_KEPT))
    rates: dict[str, Rate] = field(default_factory=dict)
    lost: int = 0
    _questions: dict[tuple[str, int], Question] = field(default_factory=dict)
    _allowed: dict[tuple[str, int], Allowed] = field(default_factory=dict)
    _tasks: dict[str, Task] = field(default_factory=dict)
    _reported_at: float = 0.0

    @property
    def devices(self) -> list[Report]:
        """The paired ones."""
        return list(self.status.get("devices", ()))

    @property
    def is_reached(self) -> bool:
        """The daemon has reported, and is there still."""
        return "devices" in self.status

    def lose_daemon(self) -> None:
        """What it alone could tell is not known any more."""
        self.status.pop("devices", None)
        self.forget_questions()

    def forget_questions(self) -> None:
        """Before a stream of events begins anew: it names those that are open."""
        self._questions.clear()

    def questions(self, now: float) -> list[Question]:
        """Those that wait for a person, the most urgent first."""
        self._questions = {key: asked for key, asked in self._questions.items() if asked.until > now}
        return sorted(self._questions.values(), key=lambda asked: asked.until)

    def allowed(self, now: float) -> list[Allowed]:
        """What is not asked for, what ends soonest first."""
        self._allowed = {key: grant for key, grant in self._allowed.items() if grant.until > now}
        return sorted(self._allowed.values(), key=lambda grant: grant.until)

    def tasks(self, now: float) -> list[Task]:
        """What devices are at, in the order of their names."""
        self._tasks = {device: task for device, task in self._tasks.items() if task.until > now}
        return [self._tasks[device] for device in sorted(self._tasks)]

    def report(self, status: Report, now: float) -> None:
        """The daemon's report of this moment."""
        elapsed = now - self._reported_at
        before = {device["name"]: device for device in self.devices}
        self.rates = {
            device["name"]: _rate(before[device["name"]], device, elapsed)
            for device in status["devices"]
            if device["name"] in before and elapsed > 0
        }
        self.status, self._reported_at = status, now

    def list_uses(self, entries: list[Report]) -> None:
        """The log's newest entries, oldest first."""
        self.uses.clear()
        self.uses.extend(entries)

    def list_allowed(self, grants: list[Report], now: float) -> None:
        """All that is allowed at this moment."""
        self._allowed.clear()
        for grant in grants:
            self._allow(grant, now)

    def hear(self, event: ServerEvent, now: float) -> bool:
        """An event. True for a device that came: what it allows has to be asked for."""
        data: Any = event.data
        match event.name:
            case "log":
                if not self.uses or data["sequence"] > self.uses[-1]["sequence"]:
                    self.uses.append(data)
            case "ask":
                asked = Question(data["device"], data["words"], now + data["seconds"])
                self._questions[data["device"], data["request"]] = asked
            case "settled":
                self._questions.pop((data["device"], data["request"]), None)
            case "granted":
                self._allow(data, now)
            case "revoked":
                self._revoke(data["device"], data["number"])
            case "progress" | "relay":
                self._go_on(data, now)
            case "device":
                return self._change(data["device"])
            case "lost":
                self.lost += data["count"]
                # What was lost may have been of any kind.
                return True
        return False

    def _allow(self, grant: Report, now: float) -> None:
        allowed = Allowed(grant["device"], grant["number"], grant["words"], now + grant["seconds"])
        self._allowed[allowed.device, allowed.number] = allowed

    def _go_on(self, data: Report, now: float) -> None:
        """Progress, or a question of a device to its office; no words say that it is at nothing any more."""
        device, why = data["device"], data.get("why", "")
        before = self._tasks.get(device)
        if not data["words"] and not why:
            # Why it came to nothing is still of interest.
            if before and not before.why:
                del self._tasks[device]
            return
        time_left = before.time_left if before else TimeLeft()
        time_left.note(data["done"], data["total"], now)
        self._tasks[device] = Task(device, data["words"], data["done"], data["total"], why, now + TASK_SHOWN, time_left)

    def _revoke(self, device: str, number: int) -> None:
        for key in list(self._allowed):
            if key[0] == device and number in (0, key[1]):
                del self._allowed[key]

    def _change(self, changed: Report) -> bool:
        """The report of one device; True when it has just become ready."""
        before = next((device["state"] for device in self.devices if device["name"] == changed["name"]), "")
        devices = [changed if device["name"] == changed["name"] else device for device in self.devices]
        self.status = {**self.status, "devices": devices}
        state: str = changed["state"]
        return state == "ready" and state != before


def _rate(before: Report, after: Report, elapsed: float) -> Rate:
    # A daemon that started anew counts from zero.
    return Rate(
        *(max(after[name] - before[name], 0) / elapsed for name in ("round_trips", "bytes_sent", "bytes_received"))
    )
