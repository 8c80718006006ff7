"""`fob integrity`: the copies of programs on devices and on this computer; validate them, give them their letters."""

from typing import Any, Final

import click

from fob_daemon.cli.asks import asks_shown
from fob_daemon.cli.completing import complete_program
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.copy_words import GOES_ON, GOOD, STATUS, refusal_words
from fob_daemon.cli.durations import moment
from fob_daemon.cli.office_lines import own_copy_trouble
from fob_daemon.cli.output import coloured
from fob_daemon.cli.parameters import PUBLIC_KEY
from fob_daemon.cli.questions import NOBODY, ask_line, is_somebody_there
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.integrity_reports import OWN_PROGRAM
from fob_daemon.control.limits import MAX_LETTER
from fob_protocol.integrity.letter import LetterError, read_letter

Report = dict[str, Any]

HERE: Final = "this computer"
_ENROL: Final = "fob integrity enrol"

program_argument = click.argument("program", required=False, shell_complete=complete_program)


@click.group(short_help="Show, validate and enrol the copies of programs.")
def integrity() -> None:
    """Copies of programs: each has its own identifier, is measured when it starts, and runs when the office says so.

    Those of devices, and the one of this computer's fobd.
    """


@integrity.command("status", short_help="Show every copy, and why one does not run.")
@device_option
@json_option
@click.pass_obj
def status_command(fob: Fob, device: str | None) -> None:
    """Show this computer's own copy and those of the devices: how they stand, since when, until when."""
    own: Report = fob.client.get("integrity")
    asked: list[Report] = []
    unasked: list[Report] = []
    for name in [fob.device(device)["name"]] if device else [one["name"] for one in fob.devices()]:
        try:
            found = fob.client.get_from_device("devices", name, "copies")["copies"]
        except ControlError as error:
            if device:
                raise
            unasked.append({"device": name, "why": error.why, "next": error.next_command})
        else:
            asked.append({"device": name, "copies": found})
    if fob.output.is_json:
        fob.output.data({"own": own, "devices": asked, "unasked": unasked})
        return
    _show(fob, own, asked)
    for one in unasked:
        fob.output.say(f"'{one['device']}' was not asked: {one['why']}")


@integrity.command("validate", short_help="Measure now, and ask the office.")
@program_argument
@device_option
@json_option
@click.pass_obj
def validate_command(fob: Fob, program: str | None, device: str | None) -> int:
    """Measure PROGRAM now and have it validated; without one everything of the device, and fobd where it is enrolled.

    The exit code is 1 when one was refused.
    """
    if program is not None:
        _report(fob, [_validated(fob, program, device)])
        return ExitCode.OK
    done: list[Report] = []
    failed: list[ControlError] = []
    for name, holder in _everything(fob, device):
        try:
            done.append(_validated(fob, name, holder))
        except ControlError as error:
            failed.append(error)
    if not done and not failed:
        why = "no device has copies, and this computer is not enrolled"
        raise ControlError("there is nothing to validate", why, STATUS, ExitCode.NOTHING_TO_DO)
    if fob.output.is_json:
        fob.output.data({"validated": done, "refused": [error.to_json() for error in failed]})
    else:
        _say(fob, done)
        for refusal in failed:
            fob.output.error(refusal)
    return ExitCode.FAILED if failed else ExitCode.OK


@integrity.command("letter", short_help="Give a device's program the letter of its copy.")
@click.argument("program", shell_complete=complete_program)
@device_option
@json_option
@click.pass_obj
def letter_command(fob: Fob, program: str, device: str | None) -> None:
    """Type the letter of PROGRAM's copy, or give it at standard input: from now on the copy is the device's.

    Type it at the device itself where you can: a computer reads what is typed at it.
    """
    name = fob.device(device)["name"]
    letter = ask_letter(fob, f"Letter of '{program}'")
    with asks_shown(fob, name):
        copy = fob.client.post("devices", name, "copies", program, "letter", body={"letter": letter})
    fob.output.changed("the letter is used", "fob integrity status")
    _report(fob, [{"device": name, **copy}])


@integrity.command("enrol", short_help="Enrol this computer's fobd by a letter of the office.")
@click.option("--issuer", metavar="HEX", type=PUBLIC_KEY, help="The office's public key, as fob-office issuer show.")
@click.option("--certificate", metavar="FILE", help="Of its configuration server, as fob-office server certificate.")
@json_option
@click.pass_obj
def enrol_command(fob: Fob, issuer: str | None, certificate: str | None) -> None:
    """Type a letter for fobd, or give it at standard input: from now on this computer holds a copy, which is validated.

    Issuer and certificate are those of the configuration (docs/configuration.md) where they are not given. An enrolled
    fobd uses no key of a phone while its copy is refused.
    """
    body: dict[str, Any] = {"letter": ask_letter(fob, f"Letter of '{OWN_PROGRAM}'")}
    if issuer is not None:
        body["issuer"] = issuer
    if certificate is not None:
        body["certificate"] = _read_certificate(certificate).hex()
    own: Report = fob.client.post("integrity", "enrolment", body=body)
    fob.output.changed("this computer is enrolled", "fob integrity status")
    _report(fob, [{"device": None, **own}])


def ask_letter(fob: Fob, what: str) -> str:
    """From the terminal, or the first line of standard input. Raises ControlError."""
    # What stands in a file or a pipe was put there without being asked for.
    typed = ask_line(fob.output, f"{what}: " if is_somebody_there() else "", MAX_LETTER)
    if not typed:
        raise ControlError("the letter was not read", NOBODY, "the same command at a terminal", ExitCode.USAGE)
    try:
        read_letter(typed)
    except LetterError as error:
        raise ControlError("that is no letter", str(error), "type it again", ExitCode.USAGE) from None
    return typed


def _read_certificate(name: str) -> bytes:
    try:
        with open(name, "rb") as file:
            return file.read(4096)
    except OSError as error:
        why = f"{name}: {error.strerror or error}"
        raise ControlError("the certificate was not read", why, "--certificate FILE", ExitCode.USAGE) from None


def _everything(fob: Fob, device: str | None) -> list[tuple[str, str | None]]:
    """Program and device; None is this computer."""
    found: list[tuple[str, str | None]] = []
    if device is None and fob.client.get("integrity")["enrolled"]:
        found.append((OWN_PROGRAM, None))
    for name in [fob.device(device)["name"]] if device else _ready(fob):
        try:
            copies = fob.client.get_from_device("devices", name, "copies")["copies"]
        except ControlError:
            if device:
                raise
            # One without copies is none that could be validated.
            continue
        found += [(copy["program"], name) for copy in copies]
    return found


def _ready(fob: Fob) -> list[str]:
    return [device["name"] for device in fob.devices() if device["state"] == "ready"]


def _validated(fob: Fob, program: str, device: str | None) -> Report:
    """Raises ControlError."""
    if program == OWN_PROGRAM and device is None:
        return {"device": None, **fob.client.post("integrity", "validation", body={})}
    name = fob.device(device)["name"]
    fob.output.say(f"Waiting for the office to validate '{program}' of '{name}' ...")
    with asks_shown(fob, name):
        return {"device": name, **fob.client.post("devices", name, "copies", program, "validation", body={})}


def _report(fob: Fob, copies: list[Report]) -> None:
    if fob.output.is_json:
        fob.output.data(copies[0])
    else:
        _say(fob, copies)


def _say(fob: Fob, copies: list[Report]) -> None:
    for copy in copies:
        where = HERE if copy["device"] is None else f"'{copy['device']}'"
        until = f", until {_moment(copy['until'])}" if copy["until"] else ""
        fob.output.say(f"{copy['program']} {copy['version']} on {where}: ", coloured(copy["state"]), until)


def _show(fob: Fob, own: Report, asked: list[Report]) -> None:
    rows = [_row(HERE, own)] if own["enrolled"] else []
    rows += [_row(report["device"], copy) for report in asked for copy in report["copies"]]
    fob.output.table(("WHERE", "PROGRAM", "VERSION", "STATE", "VALIDATED", "TICKET UNTIL", "COPY"), rows)
    if not own["enrolled"]:
        fob.output.line(f"this computer's fobd is not enrolled    to do it: {_ENROL}")
    for line in own_copy_trouble(own):
        fob.output.line(line)
    for report in asked:
        for copy in report["copies"]:
            if copy["state"] not in GOOD or copy["reason"]:
                words, deed = refusal_words(copy["reason"] or copy["state"], copy["program"])
                lets = "still lets" if copy["state"] in GOES_ON else "does not let"
                fob.output.line(f"'{report['device']}' {lets} '{copy['program']}' run: {words}    try: {deed}")


def _row(where: str, copy: Report) -> tuple[object, ...]:
    times = (_moment(copy["validated"]), _moment(copy["until"]))
    return (where, copy["program"], copy["version"], coloured(copy["state"]), *times, copy["copy"])


def _moment(seconds: int | None) -> str:
    return "-" if not seconds else moment(seconds)
