"""What every command is given: where the office is, and how to print."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from fob_office.errors import OperatorError
from fob_office.issuer.ends import not_said
from fob_office.issuer.kept import Taken, keep, places, set_aside, take_up_kept
from fob_office.issuer.key_file import load_issuer_key
from fob_office.issuer.service import Issuing
from fob_office.office import Office, open_office
from fob_office.paging import PAGE
from fob_office.settings import STATE_VARIABLE, load_settings
from fob_office.surroundings import SYSTEM, Surroundings
from fob_protocol.names import plain_name

Command = TypeVar("Command", bound=Callable[..., Any])

_GAP: Final = "  "
_DATE: Final = "%Y-%m-%dT%H:%M:%SZ"
# The end of the year 9999: a holder may sign a later time, which stays a number.
_LAST_TIME: Final = 253_402_300_799
# What of a view is seconds since 1970, for scripts; people read a date. UTC, as in the office's log.
_TIMES: Final = frozenset({
    "acknowledged", "added", "changed", "created", "first", "heard", "issued", "last", "not_after", "not_before",
    "proved", "second", "time", "until", "validated",
})  # fmt: skip


@dataclass
class Cli:
    """One run."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    surroundings: Surroundings = SYSTEM
    is_json: bool = False

    @contextmanager
    def office(self, state: Path) -> Iterator[Office]:
        """Open while the command works. Raises OperatorError."""
        opened = open_office(load_settings(state, self.environment), self.environment, self.surroundings)
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def issuing(self, state: Path, pem: Path | None) -> Iterator[Issuing]:
        """With the issuer's key of the state folder, or of a file; what it signs is kept beside it.

        Raises OperatorError.
        """
        with self.office(state) as office:
            key = load_issuer_key(state, office.sealer, pem)
            issuing = Issuing(office, key)
            self.take_up(office, pem)
            yield issuing
            self.keep(office, pem)
            self.say_unsaid(office)

    def take_up(self, office: Office, pem: Path | None = None) -> None:
        """What the issuer has signed since the backup that this office was put back to.

        Work goes on without a file that cannot be used: somebody may have to revoke a stolen key.
        """
        for path in places(office.settings.state, pem):
            try:
                taken = take_up_kept(office, path, "office")
            except OperatorError as error:
                self._set_aside(path, error)
                continue
            if taken is not None:
                self.say_taken(taken)

    def _set_aside(self, path: Path, error: OperatorError) -> None:
        self.say(f"warning: {error.what}: {error.why}")
        try:
            self.say(f"it is {set_aside(path)} now")
        except OSError as failed:
            self.say(f"warning: it could not be set aside: {path}: {failed.strerror}")

    def keep(self, office: Office, pem: Path | None = None) -> None:
        """For the next time; what cannot be kept is said."""
        for path in places(office.settings.state, pem):
            try:
                keep(office, [path])
            except OSError as error:
                self.say(f"warning: the directory was not kept beside the key: {path}: {error.strerror}")

    def say_taken(self, taken: Taken) -> None:
        """What came of it, and what is to be done."""
        self.say(f"this office was put back to a backup: revocation list {taken.number} and its certificates taken up")
        for server in taken.lost:
            self.say(f"next:  fob-office server change-keys {server}    (the keys that devices know are not here)")

    def say_unsaid(self, office: Office) -> None:
        """What is revoked here, and no device is told."""
        with office.database.read() as session:
            for warning in not_said(session, office):
                self.say(f"warning: {warning}")

    def data(self, value: object) -> None:
        """One JSON value on one line, in ASCII."""
        click.echo(json.dumps(value))

    def line(self, text: str) -> None:
        """A line of data, harmless on a terminal."""
        click.echo(plain_name(text, limit=len(text)))

    def say(self, text: str) -> None:
        """Narration."""
        click.echo(plain_name(text, limit=len(text)), err=True)

    def table(self, rows: Sequence[Mapping[str, object]]) -> None:
        """For a script JSON, and else aligned columns with their names above."""
        if self.is_json:
            self.data(list(rows))
            return
        if not rows:
            return
        cells = [list(rows[0]), *([_text(*cell) for cell in row.items()] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row in cells:
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.line(_GAP.join(padded).rstrip())

    def fields(self, values: Mapping[str, object]) -> None:
        """For a script one JSON object, and else a name and a value a line."""
        if self.is_json:
            self.data(dict(values))
            return
        width = max(map(len, values))
        for name, value in values.items():
            self.line(f"{name:<{width}}{_GAP}{_text(name, value)}")


def moment(seconds: int) -> str:
    """As times are shown to people; one that no calendar has stays a number."""
    if not 0 <= seconds <= _LAST_TIME:
        return str(seconds)
    return datetime.fromtimestamp(seconds, UTC).strftime(_DATE)


def _text(name: str, value: object) -> str:
    if type(value) is int and name in _TIMES:
        return moment(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def default_state(environment: Mapping[str, str] | None = None) -> Path:
    """systemd's StateDirectory=, and else where a person's programs keep their state (XDG Base Directory)."""
    found = os.environ if environment is None else environment
    if folder := found.get("STATE_DIRECTORY"):
        return Path(folder)
    return Path(found.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "fob-office"


def state_option(command: Command) -> Command:
    """`--state`."""
    return click.option(
        "--state", type=click.Path(path_type=Path, file_okay=False), envvar=STATE_VARIABLE, default=default_state,
        show_default="$FOB_OFFICE_STATE, or ~/.local/state/fob-office", help="The office's folder.",
    )(command)  # fmt: skip


def issuer_key_option(command: Command) -> Command:
    """`--issuer-key`."""
    return click.option(
        "--issuer-key", type=click.Path(path_type=Path, dir_okay=False),
        help="PEM file with the issuer's key, where it is not kept in the office's folder.",
    )(command)  # fmt: skip


def json_option(command: Command) -> Command:
    """`--json`."""
    return click.option(
        "--json", is_flag=True, expose_value=False, callback=_set_json, help="Print JSON for a script."
    )(command)


def page_options(command: Command) -> Command:
    """`--after` and `--count`, of what is listed by its id."""
    count = click.option(
        "--count", type=click.IntRange(1, PAGE), default=PAGE, show_default=True, help="At most so many."
    )
    after = click.option("--after", type=click.IntRange(0), default=0, help="The last id that is known.")
    return after(count(command))


def _set_json(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Cli).is_json = True


pass_cli = click.make_pass_decorator(Cli, ensure=True)
