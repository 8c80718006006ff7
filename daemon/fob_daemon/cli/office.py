"""`fob office`: what the device is to its back office; configure it, register it, use what it is entitled to."""

import shlex
import sys
from pathlib import Path
from typing import Any, Final

import click

from fob_daemon.cli.asks import asks_shown
from fob_daemon.cli.completing import complete_server
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.durations import moment
from fob_daemon.cli.office_bar import OfficeBar
from fob_daemon.cli.office_status import show_status
from fob_daemon.cli.options import options_of, show_options
from fob_daemon.cli.out_files import write_file
from fob_daemon.cli.pins import pin_option, with_pin
from fob_daemon.cli.questions import ask_line, is_somebody_there
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.office_requests import PurposeName
from fob_daemon.control.rules import fault_of_label
from fob_protocol.office.limits import BODY_LIMIT

# What every template asks for.
_NAME: Final = "name"

Fields = dict[str, str]


@click.group(short_help="Configure and register the device at its back office.")
def office() -> None:
    """The back office of the device: who runs it decides what the device can do.

    What device and office say to each other is sealed: this computer carries it, and cannot read it.
    """


@office.command("status", short_help="Show the office, what the devices are to it, and the relay.")
@device_option
@json_option
@click.pass_obj
def status_command(fob: Fob, device: str | None) -> None:
    """Show the configured office, what each device is to it, where it can register, and what was relayed."""
    show_status(fob, [fob.device(device)] if device else fob.devices())


@office.command("configure", short_help="Have the device fetch what was ordered for it.")
@click.option("--look", is_flag=True, help="Only ask whether there is something newer.")
@device_option
@json_option
@click.pass_obj
def configure_command(fob: Fob, look: bool, device: str | None) -> None:
    """Have the device ask its office for its configuration, fetch it and run it.

    A device that is away or switched off meanwhile goes on where it was. With --look it only asks which of its
    components have a newer version; what else its order has now comes with the configuration, and is not told before.
    """
    name = fob.device(device)["name"]
    state = _look(fob, name) if look else _configure(fob, name)
    found = options_of(fob, name)
    if fob.output.is_json:
        fob.output.data({**state, "options": found})
        return
    newer = sum(option["newest"] != "" for option in found)
    if look:
        words = f"{newer} of {len(found)} options have" if newer else "No option has"
        fob.output.say(f"{words} a newer version.")
    else:
        fob.output.say(f"Set {state['office']['set_number']} runs on '{name}'.")
    show_options(fob, found)
    if look and newer:
        fob.output.say("try:   fob office configure")


@office.command("register", short_help="Register with a server; asks for what it wants to know.")
@click.argument("server", shell_complete=complete_server)
@click.option("--name", help="The name to be known by there.")
@click.option("--field", "given", metavar="NAME=VALUE", multiple=True, help="One of the other fields; may be repeated.")
@device_option
@pin_option
@json_option
@click.pass_obj
def register_command(
    fob: Fob, server: str, name: str | None, given: tuple[str, ...], device: str | None, pin_file: str | None
) -> None:
    """Register the device with SERVER, one of `fob office status`.

    Asks on the terminal for each field that was not given. The device has to be unlocked.
    """
    fields = _given(name, given)
    chosen = fob.device(device)
    with asks_shown(fob, chosen["name"]):
        template = _post(fob, chosen, pin_file, "servers", server, "registration", body={})
        filled = _fill_in(fob, template, fields)
        fob.output.say(f"Registering '{chosen['name']}'; look at it in case it asks ...")
        answer = _post(fob, chosen, pin_file, "servers", server, "registration", body={"fields": dict(filled)})
    fob.output.changed("the device is registered", "fob office status")
    if fob.output.is_json:
        fob.output.data(answer)
    else:
        fob.output.say(f"Registered as '{filled.get(_NAME, '')}'.")
        fob.output.say(f"try:   fob office entitled {shlex.quote(server)}")


@office.command("entitled", short_help="Show what the device may do at a server.")
@click.argument("server", shell_complete=complete_server)
@device_option
@json_option
@click.pass_obj
def entitled_command(fob: Fob, server: str, device: str | None) -> None:
    """Show what the device may do at SERVER, as the server said last; it may say otherwise at the next use."""
    name = fob.device(device)["name"]
    found = fob.client.get_from_device("devices", name, "servers", server)
    if fob.output.is_json:
        fob.output.data({"device": name, "server": server, **found})
        return
    if not found["version"]:
        fob.output.line("the server has not told the device yet")
        return
    told = f", as the server said at {moment(found['told'])}" if found["told"] else ""
    state = "active" if found["active"] else "revoked"
    fob.output.line(f"version {found['version']}, {state}, until {moment(found['until'])}{told}")
    fob.output.table(("APPLICATION", "LEVEL"), sorted(found["applications"].items()))


@office.command("use", short_help="Ask an application behind a server for something.")
@click.argument("server", shell_complete=complete_server)
@click.argument("application")
@click.argument("path")
@click.option("--input", "source", metavar="FILE", help="What to send; '-' is standard input.")
@click.option("--output", metavar="FILE", help="Where the answer goes; it is printed otherwise.")
@device_option
@pin_option
@json_option
@click.pass_obj
def use_command(
    fob: Fob,
    server: str,
    application: str,
    path: str,
    source: str | None,
    output: str | None,
    device: str | None,
    pin_file: str | None,
) -> int:
    """Ask APPLICATION behind SERVER for PATH. The exit code is 1 when it answers that it could not."""
    body = {"application": application, "path": path} | ({"body": read.hex()} if (read := _read(source)) else {})
    chosen = fob.device(device)
    with asks_shown(fob, chosen["name"]):
        answer = _post(fob, chosen, pin_file, "servers", server, "use", body=dict(body))
    fob.output.changed(
        f"'{application}' has done what it was asked", "the same command asks it a second time; with --output FILE"
    )
    content = bytes.fromhex(answer["body"])
    if output is not None:
        _write(Path(output), content)
    if fob.output.is_json:
        fob.output.data({"device": chosen["name"], "server": server, **answer})
    elif output is None:
        fob.output.text(content.decode(errors="replace"))
    is_done = answer["status"] < 400
    if not is_done:
        fob.output.say(f"'{application}' answered {answer['status']}.")
    return ExitCode.OK if is_done else ExitCode.FAILED


def _look(fob: Fob, name: str) -> dict[str, Any]:
    """What the device is to its office, which has told of newer versions. Raises ControlError."""
    with OfficeBar(fob.output) as bar:
        return _followed(fob, name, PurposeName.LOOK, bar)


def _configure(fob: Fob, name: str) -> dict[str, Any]:
    """What the device is to its office afterwards. Raises ControlError."""
    now = fob.client.get_from_device("devices", name, "office")["office"]
    with OfficeBar(fob.output) as bar:
        if now["total"]:
            # The next step of what it is at may be far away.
            bar.show(now["words"], now["done"], now["total"])
        return _followed(fob, name, PurposeName.RECONFIGURE if now["set_number"] else PurposeName.CONFIGURE, bar)


def _followed(fob: Fob, name: str, purpose: PurposeName, bar: OfficeBar) -> dict[str, Any]:
    """Until it is done. Raises ControlError."""
    stream = fob.client.stream("POST", "devices", name, "configuration", body={"purpose": purpose})
    with asks_shown(fob, name, bar.say, tells_relays=False), stream as events:
        for event in events:
            data: Any = event.data
            match event.name:
                case "progress":
                    bar.show(data["words"], data["done"], data["total"])
                case "relay" if data["why"]:
                    bar.show(f"{data['why']}; it is tried again", data["done"], data["total"])
                case "configured":
                    state: dict[str, Any] = data
                    return state
                case "error":
                    raise ControlError(data["what"], data["why"], data["next"], ExitCode(data["exit_code"]))
    raise ControlError(f"'{name}' was not configured", "the daemon ended the conversation", "fob status")


def _post(fob: Fob, device: dict[str, Any], pin_file: str | None, *path: str, body: dict[str, Any]) -> Any:
    """What may need a PIN of a device without a pad. Raises ControlError."""
    return with_pin(
        fob, device, pin_file, lambda pin: fob.client.post("devices", device["name"], *path, body={**body, **pin})
    )


def _given(name: str | None, given: tuple[str, ...]) -> Fields:
    """Raises click.UsageError."""
    fields: Fields = {} if name is None else {_NAME: name}
    for text in given:
        field, equals, value = text.partition("=")
        if not field or not equals:
            raise click.UsageError(f"--field is NAME=VALUE, and '{text}' is not")
        if field in fields:
            raise click.UsageError(f"'{field}' was given twice")
        fields[field] = value
    return fields


def _fill_in(fob: Fob, template: dict[str, Any], given: Fields) -> Fields:
    """Every field of the template: as given, or as typed now. Raises ControlError."""
    known = [field["name"] for field in template["fields"]]
    for name in given:
        if name not in known:
            raise _not_filled(f"there is no field '{name}'; there are {', '.join(known)}")
    if len(given) < len(known) and is_somebody_there():
        fob.output.say(f"{template['title']}:")
    return {field["name"]: text for field in template["fields"] if (text := _text_of(fob, field, given))}


def _text_of(fob: Fob, field: dict[str, Any], given: Fields) -> str:
    """Empty for one that may be left out. Raises ControlError."""
    text = given.get(field["name"])
    if text is None and is_somebody_there():
        mark = "" if field["required"] else " (may be left out)"
        text = ask_line(fob.output, f"{field['label']}{mark}: ", field["limit"])
    if not text:
        if field["required"]:
            option = "--name NAME" if field["name"] == _NAME else f"--field {field['name']}=VALUE"
            raise _not_filled(f"'{field['label']}' is needed, and was not given", f"the same command with {option}")
        return ""
    fault = fault_of_label(text, field["limit"])
    if fault is not None:
        raise _not_filled(f"'{field['label']}' {fault}")
    return text


def _not_filled(why: str, next_command: str = "the same command, filled in otherwise") -> ControlError:
    return ControlError("not registered", why, next_command, ExitCode.USAGE)


def _read(source: str | None) -> bytes:
    """Raises ControlError."""
    if source is None:
        return b""
    try:
        if source == "-":
            content = sys.stdin.buffer.read(BODY_LIMIT + 1) if sys.stdin else b""
        else:
            with open(source, "rb") as file:
                content = file.read(BODY_LIMIT + 1)
    except OSError as error:
        raise ControlError("nothing was sent", f"{source}: {error.strerror or error}", "--input FILE") from None
    if len(content) > BODY_LIMIT:
        why = f"{source} has more than {BODY_LIMIT:,} octets"
        raise ControlError("nothing was sent", why, "the same command with less", ExitCode.USAGE)
    return content


def _write(path: Path, content: bytes) -> None:
    """Raises ControlError."""
    try:
        write_file(path, content)
    except OSError as error:
        why = f"it was answered, and {path} could not be written: {error.strerror or error}"
        raise ControlError("the answer was lost", why, "the same command with another --output") from None
