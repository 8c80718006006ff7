"""`fob options`: the components that run on the device, what is in them, and their commands."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click

from fob_daemon.cli.completing import complete_command, complete_option
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.copy_words import GOOD, refusal_words
from fob_daemon.cli.option_values import value_of, words_for
from fob_daemon.cli.out_files import write_file
from fob_daemon.cli.progress import Progress
from fob_daemon.control.errors import ControlError, ExitCode
from fob_protocol.catalogue import OPTION_PREFIX
from fob_protocol.office.limits import CONTENT_LIMIT

KINDS: Final = {1: "module", 2: "data"}
_LIST: Final = "fob options list"


@click.group(short_help="List, read and run what the back office has put there.")
def options() -> None:
    """What the back office has put on the device: list it, read it, run its commands."""


@options.command("list", short_help="List the components that run, and their commands.")
@device_option
@json_option
@click.pass_obj
def list_command(fob: Fob, device: str | None) -> None:
    """List the components that run on the device, with the newer versions that the office told of."""
    name = fob.device(device)["name"]
    found = options_of(fob, name)
    if fob.output.is_json:
        fob.output.data({"device": name, "options": found})
        return
    if not found:
        fob.output.say(f"'{name}' runs no option.    try: fob office configure")
    show_options(fob, found)


@options.command("show", short_help="Show one component, or write what is in it to a file.")
@click.argument("component", metavar="ID", shell_complete=complete_option)
@click.option("--output", metavar="FILE", help="Write its content there.")
@device_option
@json_option
@click.pass_obj
def show_command(fob: Fob, component: str, output: str | None, device: str | None) -> None:
    """Show the component ID; with --output its content goes into a file."""
    name = fob.device(device)["name"]
    option = next((option for option in options_of(fob, name) if option["id"] == component), None)
    if option is None:
        raise _no_option(fob, name, component)
    if output is not None:
        _write(fob, name, option, Path(output))
    elif fob.output.is_json:
        fob.output.data({"device": name, **option})
    else:
        fields = {**option, "kind": KINDS.get(option["kind"], option["kind"]), "commands": " ".join(option["commands"])}
        fob.output.fields({field: value for field, value in fields.items() if value != ""})


@options.command("run", short_help="Give a component's command its values, and print what it answers.")
@click.argument("command", shell_complete=complete_command)
@click.argument("values", nargs=-1)
@device_option
@json_option
@click.pass_obj
def run_command(fob: Fob, command: str, values: tuple[str, ...], device: str | None) -> None:
    """Run the COMMAND of a component with VALUES: fob options run XRATE 20 letter domestic

    A value of decimal digits is a number, anything else a text. text:20 is a text too, and hex:0a0b are octets. Where a
    text begins with a dash, write -- before the values.
    """
    name = fob.device(device)["name"]
    answer = fob.client.post(
        "devices", name, "commands", _at_name(command), body={"values": [value_of(word) for word in values]}
    )
    if fob.output.is_json:
        fob.output.data({"device": name, "command": _at_name(command), "lines": answer["lines"]})
        return
    for line in answer["lines"]:
        fob.output.line("  ".join(map(words_for, line)))


def _no_option(fob: Fob, name: str, component: str) -> ControlError:
    """There is none of that name, or it does not run because of its copy."""
    copies: list[dict[str, Any]] = []
    with suppress(ControlError):
        copies = fob.client.get_from_device("devices", name, "copies")["copies"]
    for copy in copies:
        if copy["program"] == component and copy["state"] not in GOOD:
            words, deed = refusal_words(copy["reason"] or copy["state"], component)
            return ControlError(f"'{component}' does not run on '{name}'", words, deed)
    why = f"no component of that name runs on '{name}'"
    return ControlError(f"there is no option '{component}'", why, _LIST)


def options_of(fob: Fob, name: str) -> list[dict[str, Any]]:
    """What runs on a device. Raises ControlError."""
    found: list[dict[str, Any]] = fob.client.get_from_device("devices", name, "options")["options"]
    return found


def show_options(fob: Fob, found: list[dict[str, Any]]) -> None:
    """A table."""
    rows = [
        (
            option["id"],
            option["version"],
            option["newest"] or "-",
            KINDS.get(option["kind"], option["kind"]),
            option["octets"],
            option["title"],
            " ".join(option["commands"]),
        )
        for option in found
    ]
    fob.output.table(("ID", "VERSION", "NEWER", "KIND", "OCTETS", "TITLE", "COMMANDS"), rows)


def _at_name(command: str) -> str:
    """`+XRATE` for `xrate`. Raises click.UsageError."""
    name = f"+{command.removeprefix('+').upper()}"
    if not name.startswith(OPTION_PREFIX):
        raise click.UsageError("a component's command begins with X; `fob options list` names those there are")
    return name


def _write(fob: Fob, device: str, option: dict[str, Any], path: Path) -> None:
    content = _read(fob, device, option["id"], option["octets"])
    try:
        write_file(path, content)
    except OSError as error:
        why = f"{path}: {error.strerror or error}"
        raise ControlError("nothing was written", why, "the same command with another --output") from None
    if fob.output.is_json:
        fob.output.data({"device": device, "id": option["id"], "path": str(path), "octets": len(content)})
    else:
        fob.output.say(f"{path}: {len(content):,} octets.")


def _read(fob: Fob, device: str, component: str, octets: int) -> bytes:
    """All of a component's content. Raises ControlError when it changes meanwhile, or has no end."""
    content = b""
    with Progress(fob.output, f"Reading {component}", octets) as progress:
        while True:
            page = fob.client.get_from_device("devices", device, "options", component, **{"from": len(content)})
            size, more = page["size"], bytes.fromhex(page["octets"])
            content += more
            progress.show(len(content))
            if size > CONTENT_LIMIT or len(content) > size or (not more and len(content) < size):
                why = "the device's parts of it do not make a whole; other options may run now"
                raise ControlError(f"'{component}' was not read", why, "the same command again", ExitCode.FAILED)
            if len(content) == size:
                return content
