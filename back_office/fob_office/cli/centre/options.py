"""What commands of a data centre have in common: masters in a module, and how meters of a value kind begin."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import msgspec

from fob_office.centre.boxes.pkcs11_vault import ModulePlace
from fob_office.centre.boxes.steel.beginnings import LIMITS
from fob_office.centre.founding.plan import RATES, NewKind
from fob_office.centre.function.settings import PROGRAMS_LIMIT
from fob_office.centre.places import CentreSettings, KindSettings, ModuleSettings
from fob_office.errors import UsageError
from fob_office.secrets.private_file import read_private
from fob_office.shipped import shipped
from fob_protocol.metering.kinds import Freshness
from fob_protocol.metering.limits import AMOUNT_LIMIT, DAY
from fob_protocol.metering.records import Limits
from fob_protocol.office.message import Name, Version
from fob_protocol.office.patterns import NAME

Command = TypeVar("Command", bound=Callable[..., Any])

_PIN_LIMIT: Final = 256
_PROGRAM: Final = re.compile(r"([a-z0-9][a-z0-9.-]*)=(\d{1,9})\.(\d{1,9})\.(\d{1,9})", re.ASCII)
# Seconds of a ticket: a hundred years are as good as for ever.
_AGE_LIMIT: Final = 100 * 366 * DAY
_AMOUNT: Final = click.IntRange(1, AMOUNT_LIMIT)


@dataclass(frozen=True, slots=True)
class Module:
    """As the options say."""

    library: str | None
    token: str | None
    pin_file: Path | None

    def place(self) -> ModulePlace | None:
        """None: masters are sealed in the folders. Raises UsageError, OperatorError."""
        if self.library is None:
            return None
        if self.token is None or self.pin_file is None:
            raise UsageError(
                "the module is not known well enough", "--pkcs11 goes with --pkcs11-token and --pkcs11-pin-file",
                "fob-office centre init --help",
            )  # fmt: skip
        pin = read_private(self.pin_file, "the module's PIN", _PIN_LIMIT, "fob-office centre init --help")
        return ModulePlace(self.library, self.token, pin.decode().strip())

    def kept(self) -> ModuleSettings | None:
        """For boxes to come: the PIN's file, and no PIN."""
        if self.library is None or self.token is None or self.pin_file is None:
            return None
        return ModuleSettings(self.library, self.token, str(self.pin_file.absolute()))


def module_of(settings: CentreSettings) -> ModulePlace | None:
    """That the data centre was made with. Raises OperatorError: the PIN's file cannot be read."""
    kept = settings.module
    return None if kept is None else Module(kept.library, kept.token, Path(kept.pin_file)).place()


def module_options(command: Command) -> Command:
    """`--pkcs11`, `--pkcs11-token`, `--pkcs11-pin-file`."""
    for option in (
        click.option(
            "--pkcs11-pin-file", type=click.Path(path_type=Path, dir_okay=False), help="With its user's PIN, mode 0600."
        ),
        click.option("--pkcs11-token", metavar="LABEL"),
        click.option("--pkcs11", metavar="MODULE", help="Masters are kept in a token of this PKCS#11 module."),
    ):
        command = option(command)
    return command


def kind_options(command: Command) -> Command:
    """How meters of a value kind begin, and whose tickets count."""
    for option in (
        click.option(
            "--ticket-age", type=click.IntRange(60, _AGE_LIMIT), default=DAY, show_default=True, help="In seconds.",
        ),
        click.option(
            "--rates", "rates", multiple=True, metavar="NAME=1.0.0",
            help=f"Component whose tickets are admitted, with its least version; {RATES} without it.",
        ),
        click.option("--credit", type=click.IntRange(0, AMOUNT_LIMIT), default=LIMITS.credit, show_default=True),
        click.option("--most-for-a-day", type=_AMOUNT, default=LIMITS.daily, show_default=True),
        click.option("--most-for-a-piece", type=_AMOUNT, default=LIMITS.piece, show_default=True),
        click.option(
            "--public-tokens/--no-public-tokens",
            help="Tokens are signatures, which anybody verifies; codes are larger.",
        ),
        click.option(
            "--freshness", type=click.Choice([kind.name.lower() for kind in Freshness]), default="counter",
            show_default=True, help="What makes each record of a meter unlike all before.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def kept_options(kind: KindSettings) -> dict[str, Any]:
    """As `kind_options` has them, of a value kind that there is."""
    kept: dict[str, Any] = {
        "most_for_a_piece": kind.piece, "most_for_a_day": kind.daily, "credit": kind.credit,
        "freshness": Freshness(kind.freshness).name.lower(), "public_tokens": kind.is_public,
        "rates": tuple(f"{program}={'.'.join(map(str, least))}" for program, least in kind.programs.items()),
    }  # fmt: skip
    return kept if kind.age is None else kept | {"ticket_age": kind.age}


def new_kind(name: str, options: Mapping[str, Any], *, is_known: bool = False) -> NewKind:
    """Of `kind_options`; `is_known`: there is one of this name. Raises UsageError."""
    # Devices take such a name: a data centre that was made with it goes on.
    is_cut = name.endswith((".", "-")) and not is_known
    if re.fullmatch(NAME, name, re.ASCII) is None or is_cut:
        why = f"{name!r:.80} is no name: small letters and digits, and . or - between them, as in eur-cent"
        raise UsageError("it is not known what meters count", why, "fob-office centre value-kind --help")
    limits = Limits(options["most_for_a_piece"], options["most_for_a_day"], options["credit"], 0, 0)
    freshness = Freshness[options["freshness"].upper()]
    programs = _programs(options["rates"])
    return NewKind(name, freshness, limits, programs, options["ticket_age"], options["public_tokens"])


def _programs(rates: Sequence[str]) -> dict[str, Version]:
    if not rates:
        return {RATES: shipped()[RATES].version}
    programs = dict(map(_program, rates))
    if len(programs) > PROGRAMS_LIMIT:
        raise _unknown(f"a value kind has at most {PROGRAMS_LIMIT} components")
    return programs


def _program(text: str) -> tuple[str, Version]:
    found = _PROGRAM.fullmatch(text)
    with suppress(msgspec.ValidationError):
        if found is not None:
            return msgspec.convert((found[1], tuple(map(int, found.groups()[1:]))), tuple[Name, Version])
    raise _unknown(f"'{text}' is not NAME=1.0.0")


def _unknown(why: str) -> UsageError:
    return UsageError("it is not known whose tickets count", why, "fob-office centre value-kind --help")
