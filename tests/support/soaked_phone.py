"""A person with a phone and a computer: franks and loads by fobd's control socket, and goes on with what was cut."""

import json
import random
import time
from collections.abc import Callable
from threading import Event
from typing import Any, Final, TypeVar

from fob_daemon.cli.client import Client
from fob_daemon.control.errors import ControlError
from fob_daemon.control.json_form import Json
from fob_daemon.demo.metering import METER_OPTIONS
from fob_daemon.demo.office import DemoOffice
from fob_daemon.demo.run import switch_on_and_pair
from fob_daemon.demo.scratch import TOKEN_LABEL
from fob_office.tls import CA_FILE
from support.mailers import PASSWORD
from support.soaked_office import SoakedOffice

ResultT = TypeVar("ResultT")

# Seconds: for one thing with all its repetitions, and between two.
PATIENCE: Final = 150.0
AGAIN: Final = 0.3
# In cents: what is loaded when less than the other is left.
MONEY: Final = 2_000
LEAST: Final = 500
PIECES: Final = 3
_PIECE: Final[dict[str, Json]] = {
    "destination": "10115",
    "address": "Grace Hopper, Invalidenstr. 117, 10115 Berlin",
    "grams": 20,
    "service": "letter",
    "zone": "domestic",
}
_METER: Final = ("devices", TOKEN_LABEL, "meter")
# Of a batch that is done, or was never begun.
_NO_JOB: Final = "no batch waits"


class SoakedPhone:
    """`jobs`: numbers of batches and how many pieces each has; nothing else is remembered here."""

    def __init__(self, office: SoakedOffice, seed: int) -> None:
        self.random = random.Random(seed)
        self.jobs: dict[int, int] = {}
        self._client = Client(office.scratch.socket("control"))
        self._programs = office.programs

    @classmethod
    def made(cls, office: SoakedOffice, seed: int) -> "SoakedPhone":
        """With a meter and money; phone and daemon run."""
        scratch, programs = office.scratch, office.programs
        url, ca_file = json.dumps(office.url), json.dumps(str(scratch.office / CA_FILE))
        # The phone's person says yes at once.
        scratch.write_files(f"[office]\nurl = {url}\nca_file = {ca_file}\n", f'password = "{PASSWORD}"\n')
        programs.make_phone()
        made = DemoOffice(programs, lambda _: None, METER_OPTIONS)
        made.make_and_order()
        switch_on_and_pair(programs, lambda _: None)
        made.await_configured()
        programs.fob("meter", "sign-up", "ada", "--origin", "20457")
        programs.fob("meter", "refill", "20")
        return cls(office, seed)

    def work(self, stopping: Event) -> None:
        """Until it is time to reckon; then nothing is left open. Raises AssertionError: it does not come to an end."""
        while not stopping.is_set():
            self.frank(self.random.randrange(1, PIECES + 1))

    def frank(self, count: int) -> None:
        """A batch, by `fob meter frank`, and `--resume` as often as it takes."""
        if self.meter()["descending"] < LEAST:
            # Its answer may be lost, and then it is done once more: nobody has asked for the same thing.
            self._until_done(lambda: self._post("loads", amount=MONEY))
        number = self._until_done(self._begun)
        if self._until_done(lambda: self._pieces(number, count)) == count:
            self.jobs[number] = count
            self._until_done(lambda: self._franked(number))

    def meter(self) -> dict[str, Any]:
        """What the phone keeps of it."""
        found: dict[str, Any] = self._until_done(lambda: self._client.get_from_device(*_METER))["meter"]
        return found

    def kept(self, job: int = 0) -> list[dict[str, Any]]:
        """What the computer keeps of a batch, or of all."""
        found: list[dict[str, Any]] = self._until_done(lambda: self._client.get(*_METER, "franked", job=job))["franked"]
        return found

    def _begun(self) -> int:
        try:
            number: int = self._post("jobs", command="XRATE")["job"]
        except ControlError as error:
            if "of an earlier batch" in error.why:
                self._franked(0)
            raise
        return number

    def _pieces(self, number: int, count: int) -> int:
        """How many it has: added once, also where the answer to it was lost."""
        jobs = {job["number"]: job["total"] for job in self._client.get(*_METER, "jobs")["jobs"]}
        if not jobs[number]:
            self._post("jobs", str(number), "pieces", pieces=[_PIECE] * count, cleanse=False)
            return count
        total: int = jobs[number]
        return total

    def _franked(self, number: int) -> None:
        """Raises ControlError."""
        path = (*_METER, "jobs", str(number), "franking")
        try:
            with self._client.stream("POST", *path, body={}) as events:
                ends = [event for event in events if event.name in ("finished", "error")]
        except ControlError as error:
            if _NO_JOB in error.why:
                return
            raise
        if not ends:
            raise ControlError("not franked to its end", "the daemon ended the conversation", "the same")
        if ends[-1].name == "error":
            data: Any = ends[-1].data
            if _NO_JOB not in data["why"]:
                raise ControlError(data["what"], data["why"], data["next"])

    def _post(self, *path: str, **body: Json) -> Any:
        return self._client.post(*_METER, *path, body=body)

    def _until_done(self, work: Callable[[], ResultT]) -> ResultT:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return work()
            except ControlError as error:
                why = f"{error.what}: {error.why}"
            assert time.monotonic() < end, f"the phone's account is locked: {why}"
            time.sleep(AGAIN)
