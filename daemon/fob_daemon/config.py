"""The configuration file (TOML). Every value has a default: most people need no file.

[sockets]
provider = "/run/user/1000/fob/provider.sock"
[timeouts]
private_operation = 60
"""

import os
import shlex
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct, field

from fob_daemon.control.rules import fault_of_hex
from fob_daemon.paths import configuration_file, default_paths
from fob_daemon.relay.address import fault_of_office_url
from fob_protocol.link.controller import Controller, ControllerError

# A program waits no longer than a person would.
Timeout = Annotated[float, Meta(gt=0, le=600)]
Linger = Annotated[float, Meta(ge=0, le=3600)]
UserId = Annotated[int, Meta(ge=0)]
# Ed25519 (RFC 8032).
_KEY_SIZE: Final = 32


class ConfigError(ValueError):
    """The file cannot be used; the text names the entry and the rule. `next_command` is what to do about it."""

    def __init__(self, why: str, next_command: str) -> None:
        self.next_command = next_command
        super().__init__(why)


class Sockets(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where programs connect; a socket that systemd passes goes before its path."""

    provider: Path = field(default_factory=lambda: default_paths().provider)
    agent: Path = field(default_factory=lambda: default_paths().agent)
    control: Path = field(default_factory=lambda: default_paths().control)
    # Users beside the daemon's own that may connect.
    allowed_uids: frozenset[UserId] = frozenset()


class TimeoutSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds after which a waiting program gets its answer whatever the device does."""

    login: Timeout = 60.0
    private_operation: Timeout = 60.0
    key_generation: Timeout = 120.0
    # How long the device stays logged in after the last application has left.
    logout_linger: Linger = 2.0


class BluetoothSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Devices by radio (docs/bluetooth.md)."""

    # A controller of the daemon's own, as bumble names its transports: "hci-socket:0", "unix-client:/path". BlueZ's
    # without it.
    hci: str | None = None

    def __post_init__(self) -> None:
        """Called by msgspec, which puts the ValueError's words behind the place."""
        if self.hci is None:
            return
        try:
            Controller.parse(self.hci)
        except ControllerError as error:
            raise ValueError(f"hci = '{self.hci}': {error}") from None


class LogSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written to standard error, or to the journal."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class OfficeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The back office that devices' questions are carried to; a device never chooses where."""

    url: str | None = None
    # Whose certificates are good there, in PEM; the system's without it.
    ca_file: Path | None = None
    # Of this computer's own copy of fobd: the issuer's public key in hexadecimal, and the signed certificate of its
    # configuration server.
    issuer: str | None = None
    certificate: Path | None = None

    @property
    def issuer_key(self) -> bytes | None:
        """Raw."""
        return None if self.issuer is None else bytes.fromhex(self.issuer)

    def __post_init__(self) -> None:
        """Called by msgspec, which puts the ValueError's words behind the place."""
        fault = None if self.url is None else fault_of_office_url(self.url)
        if fault is not None:
            raise ValueError(f"url: {fault}")
        for name in ("ca_file", "issuer", "certificate"):
            if self.url is None and getattr(self, name) is not None:
                raise ValueError(f"{name} is for a url, and there is none")
        if self.issuer is not None and (fault_of_hex(self.issuer, _KEY_SIZE) or len(self.issuer) != 2 * _KEY_SIZE):
            raise ValueError(f"issuer has to be {2 * _KEY_SIZE} hexadecimal digits")


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    state: Path = field(default_factory=lambda: default_paths().state)
    sockets: Sockets = field(default_factory=Sockets)
    timeouts: TimeoutSettings = field(default_factory=TimeoutSettings)
    log: LogSettings = field(default_factory=LogSettings)
    bluetooth: BluetoothSettings = field(default_factory=BluetoothSettings)
    office: OfficeSettings = field(default_factory=OfficeSettings)


def own_config_file() -> Path | None:
    """This user's, where there is one."""
    try:
        file = configuration_file()
    except RuntimeError:
        # Without a home folder there is none.
        return None
    return file if os.path.lexists(file) else None


def load_standing_config(file: Path | None) -> Config:
    """As `load_config`, of a file that nobody has named: a pipe there would be waited for. Raises ConfigError."""
    if file is not None and os.path.exists(file) and not os.path.isfile(file):
        raise ConfigError(f"{file}: it is not a file", f"ls -ld {_quoted(file)}")
    return load_config(file)


def load_config(file: Path | None) -> Config:
    """The configuration of a file, or the defaults. Raises ConfigError."""
    if file is None:
        return Config()
    try:
        table = tomllib.loads(file.read_text())
        config = msgspec.convert(table, Config, dec_hook=_path)
    except FileNotFoundError as error:
        remedy = f"install -D -m 600 /dev/null {_quoted(file)}    (an empty file means the defaults)"
        raise ConfigError(f"{file}: {error.strerror}", remedy) from None
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", f"ls -ld {_quoted(file)}") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{file}: {_place_and_rule(str(error))}", _mend(file)) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: {error}", _mend(file)) from None
    if "state" in table and not config.state.is_absolute():
        # Else the pairings would be wherever fobd was started.
        raise ConfigError(f"{file}: 'state': Expected an absolute path, beginning with /", _mend(file))
    return config


def _mend(file: Path) -> str:
    """No program knows what was meant."""
    return f"mend {_quoted(file)} (docs/configuration.md), and then the same command"


def _quoted(file: Path) -> str:
    return shlex.quote(str(file))


def _path(_: type, value: object) -> Path:
    """Called by msgspec for the one kind of value that it does not know."""
    if not isinstance(value, str) or not value:
        raise ValueError("Expected a path")
    return Path(value)


def _place_and_rule(message: str) -> str:
    """msgspec's words with the place in front, and behind them what is known there where they name what is not."""
    rule, _, place = message.partition(" - at `$")
    place = place.strip(".`")
    if rule.startswith(("Object contains unknown field", "Invalid enum value")):
        kind: Any = Config
        for name in place.split(".") if place else ():
            kind = get_type_hints(kind)[name]
        rule += f"; known are {', '.join(getattr(kind, '__struct_fields__', get_args(kind)))}"
    return f"'{place}': {rule}" if place else rule
