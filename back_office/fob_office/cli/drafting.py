"""The options by which a person says what a component is: of `component add` and `component build`."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import click

from fob_office.components.drafts import RELEASE_DAYS, Draft
from fob_office.components.versions import parse
from fob_protocol.office.component import Kind
from fob_protocol.office.limits import CONTENT_LIMIT
from fob_protocol.office.release import Dependency

Command = TypeVar("Command", bound=Callable[..., Any])

FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
_OPTIONS: Final = (
    click.option("--hardware", multiple=True, required=True, help="For which devices; several."),
    click.option("--id", "name", help="What programs call it, as postage-rates."),
    click.option("--version", help="Three numbers, as 1.0.0."),
    click.option("--title", help="What people read; the id without it."),
    click.option(
        "--kind", type=click.Choice([kind.name.lower() for kind in Kind]), help="By the file's name without it."
    ),
    click.option("--needs", multiple=True, help="COMPONENT=LEAST-VERSION; several."),
    click.option("--command", "commands", multiple=True, help="Of a module: XNAME; several, in its own order."),
    click.option("--security-counter", type=click.IntRange(0), default=0, show_default=True, help="Never goes back."),
    click.option(
        "--days", type=click.IntRange(1, 4000), default=RELEASE_DAYS, show_default=True, help="To be given out."
    ),
    click.argument("file", required=False, type=FILE),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What was said, as it was said."""

    hardware: tuple[str, ...]
    name: str | None
    version: str | None
    title: str | None
    kind: str | None
    needs: tuple[str, ...]
    commands: tuple[str, ...]
    security_counter: int
    days: int
    file: Path | None

    def draft(self, otherwise: str) -> Draft:
        """Raises UsageError, and click's with `otherwise` when too little was said."""
        if self.file is None or self.name is None or self.version is None:
            raise click.UsageError(otherwise)
        return Draft(
            self.name, parse(self.version), self.title or self.name, _kind(self.file, self.kind), _content(self.file),
            self.hardware, tuple(map(_dependency, self.needs)), self.commands, self.security_counter, self.days,
        )  # fmt: skip


def draft_options(command: Command) -> Command:
    """All of them, handed over as `told`."""

    @wraps(command)
    def gathered(*arguments: Any, **options: Any) -> Any:
        told = Told(**{field.name: options.pop(field.name) for field in fields(Told)})
        return command(*arguments, told=told, **options)

    decorated: Any = gathered
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast(Command, decorated)


def _kind(file: Path, told: str | None) -> Kind:
    if told is not None:
        return Kind[told.upper()]
    return Kind.MODULE if file.suffix == ".wasm" else Kind.DATA


def _content(file: Path) -> bytes:
    """What is too large is said to be so, and not cut."""
    with file.open("rb") as opened:
        return opened.read(CONTENT_LIMIT + 1)


def _dependency(told: str) -> Dependency:
    name, _, least = told.partition("=")
    return Dependency(name, parse(least))
