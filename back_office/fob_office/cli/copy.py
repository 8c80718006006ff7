"""`fob-office copy`: who holds what, and whether it is what it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from fob_office.cli.context import Cli, json_option, page_options, pass_cli, state_option
from fob_office.cli.device import WHO
from fob_office.cli.program import TECHNIQUES
from fob_office.cli.values import octets, since_option
from fob_office.components.versions import parse
from fob_office.devices.service import device_of
from fob_office.distribution import operating
from fob_office.distribution.effect import when_it_asks
from fob_office.distribution.keeping import record_of
from fob_office.distribution.letters import make_letter
from fob_office.distribution.operating import Which, copies_after, copy_of
from fob_office.distribution.views import copy_details, copy_views
from fob_office.errors import OperatorError
from fob_office.office import Office
from fob_office.programs.service import program_of
from fob_office.programs.settings import setting_of
from fob_office.secrets.private_file import write_new
from fob_office.validation.proofs import proof_of
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.sign1 import unverified_payload
from fob_protocol.integrity.cloning import read_clone_proof
from fob_protocol.integrity.method import Technique
from fob_protocol.integrity.validation import State
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read

Command = TypeVar("Command", bound=Callable[..., Any])

STATES = [state.name.lower() for state in State]
_COLUMNS = ("id", "number", "program", "version", "device", "state", "current", "requests", "validated")
# A proof holds two requests.
_PROOF_LIMIT = 16_384
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_NOT_CHECKED = "the proof was not checked"
_CERTIFICATE = "fob-office server certificate SERVER --output FILE, of the validation server"


def number_argument(command: Command) -> Command:
    """`COPY`."""
    return click.argument("number", callback=octets(16), metavar="COPY")(command)


@click.group()
def copy() -> None:
    """Copies of programs: each is known by its number. COPY is a number."""


@copy.command("list")
@state_option
@json_option
@click.option("--program", help="Only those of one.")
@click.option("--standing", type=click.Choice(STATES), help="Only these.")
@click.option("--device", metavar="SERIAL", help="Only those that a device holds.")
@click.option("--out-of-sequence", is_flag=True, help="Only those whose holders are ahead of this office.")
@page_options
@pass_cli
def list_(
    cli: Cli, state: Path, program: str | None, standing: str | None, device: str | None, out_of_sequence: bool,
    after: int, count: int,
) -> None:  # fmt: skip
    """Oldest first."""
    with cli.office(state) as office, office.database.read() as session:
        holder = device_of(session, device).signing_key if device is not None else None
        which = Which(program, State[standing.upper()] if standing else None, holder, 0 if out_of_sequence else None)
        rows = [view.model_dump() for view in copy_views(session, copies_after(session, after, which, count))]
    cli.table(rows if cli.is_json else [{column: row[column] for column in _COLUMNS} for row in rows])


@copy.command()
@state_option
@json_option
@number_argument
@pass_cli
def show(cli: Cli, state: Path, number: bytes) -> None:
    """One of them, and how it is measured."""
    with cli.office(state) as office, office.database.read() as session:
        cli.fields(copy_details(session, copy_of(session, number)).model_dump())


@copy.command()
@state_option
@number_argument
@pass_cli
def disable(cli: Cli, state: Path, number: bytes) -> None:
    """Refuse its next request: its holder does nothing more with it.

    Says when it asks next, which is up to the policy that it was made with (`fob-office program policy`).
    """
    _change(cli, state, number, operating.disable, "disabled")
    with cli.office(state) as office, office.database.read() as session:
        cli.say(f"it asks {when_it_asks(record_of(copy_of(session, number)).policy)}")


@copy.command()
@state_option
@number_argument
@pass_cli
def enable(cli: Cli, state: Path, number: bytes) -> None:
    """Let a disabled one go on."""
    _change(cli, state, number, operating.enable, "enabled")
    cli.say("it is asked about again at its next use; until then its holder goes on saying that it is disabled")


@copy.command()
@state_option
@number_argument
@pass_cli
def reissue(cli: Cli, state: Path, number: bytes) -> None:
    """Give the holder of one that is flagged (cloned, disabled, invalid) another one when it asks next."""
    _change(cli, state, number, operating.reissue, "reissued")


@copy.command()
@state_option
@click.option("--all", "is_all", is_flag=True, help="All that are out of sequence (`copy list --out-of-sequence`).")
@click.option("--program", help="Of these only those of one program.")
@since_option("Of these only those that were refused")
@click.argument("number", callback=octets(16), metavar="[COPY]", required=False)
@pass_cli
def resynchronise(
    cli: Cli, state: Path, number: bytes | None, is_all: bool, program: str | None, since: int | None
) -> None:
    """Believe its holder's next request where it stands, after this office was put back to an older state.

    With --all, that of each that is out of sequence.
    """
    if (number is None) != is_all or (number is not None and (program is not None or since is not None)):
        raise click.UsageError("say COPY; or --all, and with it --program and --since")
    if number is not None:
        _change(cli, state, number, operating.resynchronise, "resynchronised")
        return
    with cli.office(state) as office:
        done = operating.resynchronise_all(office, program, since or 0, WHO)
    cli.say(f"resynchronised: {done}")


@copy.command()
@state_option
@click.option("--technique", type=click.Choice(TECHNIQUES), help="D2, D4, or D5 to D7; the program's own without it.")
@click.argument("program")
@click.argument("version")
@pass_cli
def letter(cli: Cli, state: Path, program: str, version: str, technique: str | None) -> None:
    """Print a letter: whoever types it in has a copy. It is shown once, good for one holder and 30 days."""
    with cli.office(state) as office:
        told = make_letter(office, program, parse(version), Technique[technique] if technique else None, WHO)
        with office.database.read() as session:
            stays = not setting_of(session, program_of(session, program, parse(version))).policy.rolls
    cli.line(told)
    if stays:
        cli.say("its identifier does not roll: type it at the device itself, as a computer reads what is typed at it")


@copy.command()
@state_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A new file for the proof.")
@number_argument
@pass_cli
def proof(cli: Cli, state: Path, number: bytes, out: Path) -> None:
    """What shows to anybody that a copy was cloned."""
    with cli.office(state) as office, office.database.read() as session:
        signed = proof_of(session, number)
    try:
        write_new(out, signed)
    except OSError as error:
        why = f"{out}: {error.strerror}"
        raise OperatorError("the proof was not written", why, "the same command with another --out") from None
    cli.say(f"written to {out}")
    cli.say(
        f"next:  fob-office copy verify-proof {out} --certificate FILE    (of fob-office server certificate SERVER)"
    )


@copy.command("verify-proof")
@json_option
@click.option("--key", callback=octets(32), help="The validation server's public signing key.")
@click.option("--certificate", type=_FILE, help="Its certificate, which has that key: fob-office server certificate.")
@click.argument("file", type=_FILE)
@pass_cli
def verify_proof(cli: Cli, file: Path, key: bytes | None, certificate: Path | None) -> None:
    """Check a clone proof, without any office.

    A certificate's file is believed as it is; take it from who runs the office.
    """
    match key, certificate:
        case bytes(), None:
            signer = key
        case None, Path():
            signer = _server_key(certificate)
        case _:
            raise click.UsageError("say --key or --certificate")
    try:
        shown = read_clone_proof(signer, _octets_of(file))
    except OfficeError as error:
        raise OperatorError("that proves nothing", error.why, "fob-office copy verify-proof --help") from None
    cli.fields({
        "copy": shown.proof.copy.hex(), "holder": shown.proof.holder.hex(), "request": shown.first.program_number,
        "first": shown.first.time, "second": shown.second.time, "proved": shown.proof.time,
    })  # fmt: skip


def _octets_of(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_PROOF_LIMIT)


def _server_key(certificate: Path) -> bytes:
    """Of a validation server. Raises OperatorError."""
    try:
        known = read(Certificate, unverified_payload(_octets_of(certificate)))
    except (CoseError, OfficeError):
        raise OperatorError(_NOT_CHECKED, f"{certificate} is no certificate", _CERTIFICATE) from None
    if Usage.VALIDATION not in known.usages:
        raise OperatorError(_NOT_CHECKED, f"{known.server} is no validation server", _CERTIFICATE)
    return known.signing_key


def _change(cli: Cli, state: Path, number: bytes, change: Callable[[Office, bytes, str], None], done: str) -> None:
    with cli.office(state) as office:
        change(office, number, WHO)
    cli.say(f"{done} {number.hex()}")
