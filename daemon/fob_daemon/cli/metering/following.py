"""A batch while it is franked: how far it is, what is paid of it, and how it ended."""

from collections.abc import Iterable
from typing import Any

import click

from fob_daemon.cli.asks import asks_shown
from fob_daemon.cli.context import Fob
from fob_daemon.cli.metering.batch import Batch
from fob_daemon.cli.metering.drawing import DRAW_LAST
from fob_daemon.cli.metering.words import Report, letters, some
from fob_daemon.cli.office_bar import OfficeBar
from fob_daemon.cli.pins import with_pin
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.json_form import Json
from fob_daemon.control.sse import ServerEvent
from fob_daemon.metering.limits import RESUME


class Following:
    """One batch: `done` of `total` pieces of `job` have their indicia, which is known also where it ends early."""

    def __init__(self, fob: Fob, device: Report, batch: Batch) -> None:
        self._fob = fob
        self._device = device
        self._batch = batch
        self.job = 0
        self.done = 0
        self.total = 0

    def franked(self, number: int, pin_file: str | None) -> Report:
        """The batch, when it is done. Raises ControlError."""
        fob, device, batch = self._fob, self._device, self._batch
        what = f"Franking {letters(len(batch.pieces))}" if batch.pieces else "Going on with the batch"
        fob.output.say(f"{what}; look at '{device['name']}' ...")
        path = ("devices", device["name"], "meter", "jobs", str(number), "franking")
        # Of a file each row is looked at before one is paid; a letter's own words say what is wrong with it.
        judge: dict[str, Json] = {"judge": True} if batch.path is not None else {}
        try:
            with OfficeBar(fob.output) as bar, asks_shown(fob, device["name"], bar.say):

                def follow(pin: dict[str, str]) -> Report:
                    with fob.client.stream("POST", *path, body={**pin, **judge}) as events:
                        return self._follow(events, bar)

                finished: Report = with_pin(fob, device, pin_file, follow)
        except (KeyboardInterrupt, click.Abort):
            raise self._cut() from None
        return finished

    def _follow(self, events: Iterable[ServerEvent], bar: OfficeBar) -> Report:
        for event in events:
            data: Any = event.data
            match event.name:
                case "looked":
                    bar.show(f"Looking at {letters(data['total'])}", data["done"], data["total"])
                case "franked":
                    self.job, self.done, self.total = data["job"], data["done"], data["total"]
                    bar.show(f"{data['done']:,} of {letters(data['total'])}", data["done"], data["total"])
                case "finished":
                    finished: Report = data
                    return finished
                case "error":
                    raise _refusal(data, self._batch)
        raise ControlError("the batch was not franked to its end", "the daemon ended the conversation", RESUME)

    def _cut(self) -> ControlError:
        why = f"by Ctrl-C; {some(self.done, 'is franked', 'are franked')} and kept, and nothing is paid twice"
        if self.done and self.done == self.total:
            return ControlError("the labels were not drawn", why, DRAW_LAST, ExitCode.INTERRUPTED)
        return ControlError("the batch was not franked to its end", why, RESUME, ExitCode.INTERRUPTED)


def _refusal(data: Report, batch: Batch) -> ControlError:
    """Of one piece: with its line."""
    of_line = batch.refused(data["place"], data["column"], data["fault"]) if "place" in data else None
    code = ExitCode(data["exit_code"])
    return of_line or ControlError(data["what"], data["why"], data["next"], code, status=data.get("status"))
