"""What an operator decides: `office.toml` in the state folder, and a few variables of the environment before it.

listen = "0.0.0.0:8443"
database = "postgresql+psycopg://fob@db/fob"
[tls]
certificate = "/etc/ssl/office.pem"
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from fob_office.database.engine import parse_url
from fob_office.errors import UsageError

FILE: Final = "office.toml"
DATABASE_FILE: Final = "office.db"
LISTEN: Final = "127.0.0.1:8443"
# A file that a person wrote is shorter.
SETTINGS_LIMIT: Final = 65_536

STATE_VARIABLE: Final = "FOB_OFFICE_STATE"
DATABASE_VARIABLE: Final = "FOB_OFFICE_DATABASE"
LISTEN_VARIABLE: Final = "FOB_OFFICE_LISTEN"

Rate = Annotated[float, Meta(ge=0, le=1_000_000)]


class TlsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """PEM files, from the state folder on."""

    certificate: str = "tls/certificate.pem"
    key: str = "tls/key.pem"


class LimitSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one worker takes on."""

    # Questions in hand at a time; a few more wait, the rest is told to come later.
    in_hand: Annotated[int, Meta(ge=1, le=256)] = 16
    waiting: Annotated[int, Meta(ge=0, le=100_000)] = 512
    # Questions a second of one address, and how many at once after a rest: a set of 8 MiB is a thousand. 0: any number.
    rate: Rate = 200
    burst: Rate = 2000


class LogSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written to standard error, or to the journal."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. `state` is the folder that it lies in, and never in it."""

    state: Path = Path()
    # None: SQLite in the state folder.
    database: str | None = None
    listen: str = LISTEN
    # Proxies that may say whose question it is (X-Forwarded-For).
    trusted_proxies: tuple[str, ...] = ()
    # None: all of them; to run roles apart, each process gets its own.
    roles: tuple[str, ...] | None = None
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    tls: TlsSettings = field(default_factory=TlsSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    log: LogSettings = field(default_factory=LogSettings)

    @property
    def database_url(self) -> str:
        """With its password, if it has one: not to be shown."""
        return self.database or f"sqlite+pysqlite:///{self.state.absolute() / DATABASE_FILE}"

    @property
    def database_shown(self) -> str:
        """Without its password."""
        return parse_url(self.database_url).render_as_string(hide_password=True)

    def path(self, name: str) -> Path:
        """A file that is named from the state folder on."""
        return self.state.absolute() / name

    def __repr__(self) -> str:
        """Without the database's password."""
        return f"Settings({str(self.state)!r}, ...)"


def load_settings(state: Path, environment: Mapping[str, str]) -> Settings:
    """Raises UsageError, which names the entry and the rule."""
    file = state / FILE
    command = f"mend {file}, and then the same command"
    try:
        with file.open("rb") as opened:
            octets = opened.read(SETTINGS_LIMIT + 1)
        if len(octets) > SETTINGS_LIMIT:
            raise UsageError("the settings cannot be read", f"{file} has more than {SETTINGS_LIMIT} octets", command)
        settings = msgspec.convert(tomllib.loads(octets.decode()), Settings)
    except FileNotFoundError:
        raise UsageError("there is no office here", f"{file} is missing", f"fob-office init --state {state}") from None
    except OSError as error:
        raise UsageError("the settings cannot be read", f"{file}: {error.strerror}", f"ls -ld {file}") from None
    except msgspec.ValidationError as error:
        raise UsageError("the settings cannot be read", f"{file}: {_place_and_rule(str(error))}", command) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError("the settings cannot be read", f"{file}: {error}", command) from None
    return with_environment(replace(settings, state=state), environment)


def with_environment(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """Variables go before the file."""
    return replace(
        settings,
        database=environment.get(DATABASE_VARIABLE) or settings.database,
        listen=environment.get(LISTEN_VARIABLE) or settings.listen,
    )


def _place_and_rule(message: str) -> str:
    """msgspec's words with the place in front, and behind them what is known there where they name what is not."""
    rule, _, place = message.partition(" - at `$")
    place = place.strip(".`")
    if rule.startswith(("Object contains unknown field", "Invalid enum value")):
        kind: Any = Settings
        for name in place.split(".") if place else ():
            kind = get_type_hints(kind)[name]
        known = [name for name in getattr(kind, "__struct_fields__", get_args(kind)) if name != "state"]
        rule += f"; known are {', '.join(known)}"
    return f"'{place}': {rule}" if place else rule
