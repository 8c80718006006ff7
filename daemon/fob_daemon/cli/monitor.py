"""`fob monitor`: what happens right now, on a live screen, or an event a line."""

import sys
import time
from typing import Any, Final

import click

from fob_daemon.cli.beside import StreamBeside
from fob_daemon.cli.context import Fob, json_option
from fob_daemon.cli.log import entry_words
from fob_daemon.cli.output import Painted, Part, coloured, styled
from fob_daemon.cli.watching.known import USES_KEPT, Known
from fob_daemon.cli.watching.layout import lines
from fob_daemon.cli.watching.terminal import Terminal
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.sse import ServerEvent

# Seconds between two reports, and between two attempts to reach a daemon that went away.
PERIOD: Final = 1.0

ENDED: Final = ControlError("nothing more is heard", "the daemon ended the conversation", "fob status")


@click.command(short_help="Watch live: questions on the phone, traffic, the last uses.")
@click.option("--lines", "in_lines", is_flag=True, help="An event a line, also on a terminal.")
@json_option
@click.pass_obj
def monitor(fob: Fob, in_lines: bool) -> int:
    """Watch live: what waits for you on the phone, links and traffic, what is allowed, the last uses of keys.

    On a terminal it is a screen of its own, which `q` or Ctrl-C ends. Into a file or pipe, with --lines or --json, each
    event is a line. A reader that is too slow loses the oldest events, and is told how many.
    """
    try:
        if fob.output.is_json or in_lines or sys.stdout is None or not sys.stdout.isatty():
            _print_events(fob)
        else:
            _Live(fob).run()
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def _print_events(fob: Fob) -> None:
    """Raises ControlError at the end of the daemon: Ctrl-C is how a person ends it."""
    with fob.client.stream("GET", "events") as events:
        for event in events:
            if fob.output.is_json:
                fob.output.data({"event": event.name, "data": event.data})
            else:
                fob.output.line(time.strftime("%H:%M:%S  "), f"{event.name:<8}  ", *_event_parts(event))
    raise ENDED


def _event_parts(event: ServerEvent) -> list[Part]:
    data: Any = event.data
    match event.name:
        case "log":
            programs = " <- ".join(data["programs"])
            what = f"{data['device']}  {entry_words(data)} with '{data['key']}' for {programs}  "
            return [what, coloured(data["result"]), f"  {data['milliseconds']:.0f} ms"]
        case "ask":
            return [f"{data['device']}  {data['words']} ({data['seconds']:.0f} s)"]
        case "granted":
            return [f"{data['device']}  number {data['number']} for {data['seconds']} s: {data['words']}"]
        case "revoked":
            which = f"number {data['number']}" if data["number"] else "all"
            return [f"{data['device']}  {which}"]
        case "device":
            device = data["device"]
            return [f"{device['name']}  ", coloured(device["state"]), f"  {device['url']}  {device['why']}"]
        case "lost":
            return [f"{data['count']} events: this reader was too slow for them"]
    return _office_parts(event)


def _office_parts(event: ServerEvent) -> list[Part]:
    """What devices do for their office."""
    data: Any = event.data
    match event.name:
        case "relay":
            took = f"  {data['seconds'] * 1000:.0f} ms"
            why = f"  {data['why']}" if data["why"] else ""
            return [f"{data['device']}  {data['service']}  {_steps(data)}", coloured(data["result"]), f"{took}{why}"]
        case "progress":
            return [f"{data['device']}  {_steps(data)}"]
        case "options":
            return [f"{data['device']}  set {data['set_number']} runs"]
        case "integrity":
            return [f"{data['device']}  {data['program']}  ", coloured(data["state"])]
        case "meter":
            fault = [Painted(f"  {data['fault']}", "red")] if data["fault"] else []
            return [f"{data['device']}  counter {data['counter']}, {data['descending']} left", *fault]
    return [str(data.get("device", ""))]


def _steps(data: dict[str, Any]) -> str:
    """What a device is at; how far, where that is known."""
    steps = f" {data['done']}/{data['total']}" if data["total"] else ""
    return f"{data['words']}{steps}  " if data["words"] else ""


class _Live:
    """The live screen. A daemon that goes away is waited for; one that is not there at first is an error."""

    def __init__(self, fob: Fob) -> None:
        self._fob = fob
        self._known = Known()
        self._trouble = ""

    def run(self) -> None:
        """Until somebody ends it. Raises ControlError, KeyboardInterrupt."""
        self._fob.client.get("status")
        with Terminal() as terminal:
            while True:
                try:
                    if not self._follow(terminal):
                        return
                except ControlError as error:
                    self._trouble = f"{error.what}: {error.why}; it is tried again"
                self._known.lose_daemon()
                self._show(terminal)
                if not terminal.wait(PERIOD, None):
                    return

    def _follow(self, terminal: Terminal) -> bool:
        """False when the person quits. Raises ControlError."""
        with StreamBeside(self._fob.client.stream("GET", "events")) as beside:
            beside.await_opening()
            self._known.forget_questions()
            self._catch_up()
            self._trouble = ""
            return self._watch(terminal, beside)

    def _watch(self, terminal: Terminal, beside: StreamBeside) -> bool:
        """False when the person quits. Raises ControlError."""
        report_at = _now()
        while True:
            if _now() >= report_at:
                self._known.report(self._fob.client.get("status"), _now())
                report_at = _now() + PERIOD
            self._show(terminal)
            if not terminal.wait(max(report_at - _now(), 0), beside):
                return False
            self._hear(beside)

    def _hear(self, beside: StreamBeside) -> None:
        """All that has come. Raises ControlError, also at the end of the stream."""
        for event in beside.waiting():
            if event is None:
                raise ENDED
            if self._known.hear(event, _now()):
                self._catch_up()

    def _catch_up(self) -> None:
        """What no event has told. Raises ControlError."""
        self._known.list_uses(self._fob.client.get("log", limit=USES_KEPT)["entries"])
        self._known.list_allowed(self._fob.client.get("grants")["grants"], _now())

    def _show(self, terminal: Terminal) -> None:
        width, height = terminal.size
        found = lines(self._known, _now(), width, height, self._trouble)
        plain = not self._fob.output.colour
        terminal.show([click.unstyle(styled(line)) if plain else styled(line) for line in found])


def _now() -> float:
    return time.monotonic()
