"""`fob ticket`: the proofs that copies were valid; fetched, presented, read, and verified without asking anybody."""

import time
from typing import Any, Final

import click

from fob_daemon.cli.asks import asks_shown
from fob_daemon.cli.completing import complete_program
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.durations import moment
from fob_daemon.cli.parameters import AUDIENCE, NONCE, PUBLIC_KEY
from fob_daemon.cli.ticket_files import read_server_key, read_ticket_file, write_ticket, written
from fob_daemon.cli.ticket_parameters import AGE, LEAST_VERSION
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.integrity_reports import OWN_PROGRAM
from fob_protocol.integrity.relying import NotAdmitted, NotAdmittedError, RelyingParty
from fob_protocol.integrity.ticket import Ticket, unverified_ticket
from fob_protocol.office.component import words
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import Version

_NEW: Final = "a new one, where the program runs: fob ticket get PROGRAM"
_OTHER: Final = "the same command with another --program, or a newer version of the program"
_KEY: Final = "the key of who validated it: fob-office server certificate SERVER --output FILE, and --certificate FILE"
_DEEDS: Final = {
    NotAdmitted.EXPIRED: _NEW, NotAdmitted.TOO_OLD: _NEW, NotAdmitted.MALFORMED: _NEW, NotAdmitted.TOO_LARGE: _NEW,
    NotAdmitted.OTHER_PROGRAM: _OTHER, NotAdmitted.WRONG_SIGNATURE: _KEY,
    NotAdmitted.NOT_YET_VALID: "set this computer's clock: timedatectl",
}  # fmt: skip
# Beyond any ticket's time: only the ticket itself says how old it may be.
_ANY_AGE: Final = 1 << 53

Report = dict[str, Any]


@click.group(short_help="Fetch, present and verify proofs that a program is genuine.")
def ticket() -> None:
    """Tickets: what a validation server signed about a copy. Anybody verifies one with that server's public key."""


@ticket.command("get", short_help="The last ticket of a program.")
@click.argument("program", shell_complete=complete_program)
@click.option("--output", metavar="FILE", help="Where it goes; it is printed in Base64 otherwise.")
@device_option
@json_option
@click.pass_obj
def get_command(fob: Fob, program: str, output: str | None, device: str | None) -> None:
    """Fetch the last ticket of PROGRAM, of the device or of this computer's fobd."""
    if _is_own(program, device):
        answer = fob.client.get("integrity", "ticket")
    else:
        name = fob.device(device)["name"]
        answer = fob.client.get_from_device("devices", name, "copies", program, "ticket")
    token = bytes.fromhex(answer["ticket"])
    if output is not None:
        write_ticket(output, token)
    if fob.output.is_json:
        fob.output.data({"program": program, **answer})
    elif output is None:
        fob.output.line(written(token))
    else:
        fob.output.say(f"{output}: {len(token):,} octets.")


@ticket.command("present", short_help="Prove to somebody's server that the program is genuine.")
@click.argument("program", shell_complete=complete_program)
@click.option("--audience", required=True, type=AUDIENCE, metavar="NAME", help="The server's name, as it wants it.")
@click.option("--nonce", required=True, type=NONCE, metavar="HEX", help="What it gave for this one request.")
@device_option
@json_option
@click.pass_obj
def present_command(fob: Fob, program: str, audience: str, nonce: str, device: str | None) -> None:
    """Print the presentation of PROGRAM's ticket, as it goes behind `Authorization: Fob`.

    The device has to be unlocked.
    """
    body = {"audience": audience, "nonce": nonce}
    if _is_own(program, device):
        answer = fob.client.post("integrity", "presentation", body={**body})
    else:
        name = fob.device(device)["name"]
        with asks_shown(fob, name):
            answer = fob.client.post("devices", name, "copies", program, "presentation", body={**body})
    if fob.output.is_json:
        fob.output.data({"program": program, **answer})
    else:
        fob.output.line(written(bytes.fromhex(answer["presentation"])))


@ticket.command("show", short_help="What a ticket says; it proves nothing.")
@click.argument("file")
@json_option
@click.pass_obj
def show_command(fob: Fob, file: str) -> None:
    """Show what the ticket in FILE says, without looking at its signature; '-' is standard input."""
    try:
        found = unverified_ticket(read_ticket_file(file))
    except OfficeError as error:
        why = f"{file}: {error.why} ({error.fault})"
        raise ControlError("that is no ticket", why, _NEW, ExitCode.FAILED) from None
    _show(fob, found)
    if not fob.output.is_json:
        fob.output.say("Nobody has verified this.    to do it: fob ticket verify")


@ticket.command("verify", short_help="Verify a ticket, without asking anybody.")
@click.argument("file")
@click.option("--key", type=PUBLIC_KEY, metavar="HEX", help="The validation server's public signing key.")
@click.option("--certificate", metavar="FILE", help="The validation server's certificate, which has its key.")
@click.option("--max-age", type=AGE, metavar="TIME", help="Not older than so: 90s, 30min, 12h, 1d.")
@click.option(
    "--program", "programs", type=LEAST_VERSION, metavar="NAME>=VERSION", multiple=True,
    help="Only this program, in this version or a newer one; may be repeated.",
)  # fmt: skip
@json_option
@click.pass_obj
def verify_command(
    fob: Fob,
    file: str,
    key: str | None,
    certificate: str | None,
    max_age: int | None,
    programs: tuple[tuple[str, Version], ...],
) -> None:
    """Verify the ticket in FILE ('-' is standard input) with the server's key; exit code 0 only when it is good now.

    A ticket shows that the copy was valid then, not who brings it: for that a server asks for a presentation. The
    certificate's file is believed as it is; take it from who runs the office.
    """
    if (key is None) == (certificate is None):
        raise click.UsageError("say --key or --certificate")
    server = bytes.fromhex(key) if key is not None else read_server_key(str(certificate))
    party = RelyingParty(server, _ANY_AGE if max_age is None else max_age, dict(programs))
    try:
        found = party.verify(read_ticket_file(file), int(time.time()))
    except NotAdmittedError as error:
        raise ControlError("the ticket is refused", f"{error.why} ({error.code})", _DEEDS[error.code]) from None
    _show(fob, found)


def _is_own(program: str, device: str | None) -> bool:
    return program == OWN_PROGRAM and device is None


def _show(fob: Fob, found: Ticket) -> None:
    told: Report = {
        "program": found.program,
        "version": words(found.version),
        "copy": found.copy.hex(),
        "server": found.server,
        "validated": found.time,
        "until": found.until,
        "holder": found.holder.hex(),
        "program_number": found.program_number,
        "server_number": found.server_number,
    }
    if fob.output.is_json:
        fob.output.data(told)
        return
    moments = {name: moment(told[name]) for name in ("validated", "until")}
    fob.output.fields({name.replace("_", " "): value for name, value in {**told, **moments}.items()})
