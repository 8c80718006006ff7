"""`fob pair`: follow the pairing, show the code, ask the person."""

import shlex
from typing import Any, Final

import click

from fob_daemon.cli.beside import StreamBeside
from fob_daemon.cli.context import Fob, json_option
from fob_daemon.cli.output import Painted
from fob_daemon.cli.parameters import NAME, URL
from fob_daemon.cli.questions import NOBODY, WithdrawnError, confirm
from fob_daemon.control.errors import ControlError, ExitCode

_FRAME: Final = ("┌───────────────┐", "│   {}   │", "└───────────────┘")


@click.command(short_help="Pair with the device at a serial line, by Bluetooth or TCP.")
@click.argument("url", type=URL)
@click.option("--name", type=NAME, help="What to call the device, also one that is paired; its own name otherwise.")
@click.option("--yes", is_flag=True, help="Do not ask: print the code and confirm it. For tests and --headless phones.")
@json_option
@click.pass_obj
def pair(fob: Fob, url: str, name: str | None, yes: bool) -> None:
    """Pair with the device at URL: serial:/dev/ttyUSB0?baud=115200, ble:ADDRESS or tcp:HOST:PORT.

    Both sides show the same six digits. Compare them: it is what keeps others out.
    """
    body = {"url": url} | ({"name": name} if name else {})
    with StreamBeside(fob.client.stream("POST", "pairings", body=dict(body))) as events:
        device = _follow(fob, events, url, yes)
    fob.output.changed(f"'{device['name']}' is paired", "fob devices")
    if fob.output.is_json:
        fob.output.data(device)
        return
    fob.output.say(f"Paired. It is called '{device['name']}' here, in slot {device['slot']}.")
    if device["state"] != "ready":
        why = f": {device['why']}" if device["why"] else ""
        fob.output.say(f"It is not here yet{why}.")
        fob.output.say(f"try:   {device['next'] or 'fob status'}")
        return
    fob.output.say("try:   fob setup    (so that ssh, git and PKCS#11 programs find it)")


def _follow(fob: Fob, events: StreamBeside, url: str, yes: bool) -> dict[str, Any]:
    """The paired device. Raises ControlError."""
    is_answered = True
    for event in events:
        data: Any = event.data
        match event.name:
            case "say":
                fob.output.say(data["text"])
            case "compare":
                is_answered = _compare(fob, data, yes, events)
            case "paired":
                device: dict[str, Any] = data
                return device
            case "error" if not is_answered:
                raise ControlError(
                    "not paired", NOBODY, f"fob pair {shlex.quote(url)}    (in a terminal)", ExitCode.USAGE
                )
            case "error":
                raise ControlError(data["what"], data["why"], data["next"], ExitCode(data["exit_code"]))
    raise ControlError("not paired", "the daemon ended the conversation", "fob status")


def _compare(fob: Fob, question: dict[str, Any], yes: bool, events: StreamBeside) -> bool:
    """Ask, and tell the daemon. False when nobody is there to compare."""
    equal = None
    try:
        equal = _is_equal(fob, question, yes, events)
    except WithdrawnError:
        fob.output.say("withdrawn, no answer is needed")
        return True
    except KeyboardInterrupt:
        # The phone must not go on asking.
        _answer(fob, question["id"], equal=False)
        raise
    _answer(fob, question["id"], equal or False)
    return equal is not None


def _is_equal(fob: Fob, question: dict[str, Any], yes: bool, events: StreamBeside) -> bool | None:
    """Whether the person sees the same code; None when nobody is there to compare. Raises WithdrawnError."""
    code = question["code"]
    fob.output.say(f"Look at your phone: {question['device']}, serial number {question['serial']}")
    for line in _FRAME:
        fob.output.say(Painted("    " + line.format(f"{code[:3]}   {code[3:]}"), bold=True))
    if yes:
        fob.output.say("Confirmed without a look (--yes).")
        return True
    # While the daemon waits for the answer, all that it has to say is that the pairing is over.
    return confirm(fob.output, "Does the phone show the same code?", events)


def _answer(fob: Fob, pairing: str, equal: bool) -> None:
    try:
        fob.client.post("pairings", pairing, body={"equal": equal})
    except ControlError as error:
        if error.exit_code is not ExitCode.FAILED:
            raise
        # The pairing ended meanwhile; the stream says why.
