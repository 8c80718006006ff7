"""The configuration file (TOML). Every value has a default: most people need no file.

[sockets]
provider = "/run/user/1000/fob/provider.sock"
[timeouts]
private_operation = 60
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from fob_daemon.config_entries import EntryError, must, one_of, path, seconds, section, user_ids
from fob_daemon.paths import default_paths


class ConfigError(ValueError):
    """The file cannot be used; the text names the entry and the rule."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """Where programs connect; a socket that systemd passes goes before its path."""

    provider: Path = field(default_factory=lambda: default_paths().provider, metadata=must(path))
    agent: Path = field(default_factory=lambda: default_paths().agent, metadata=must(path))
    control: Path = field(default_factory=lambda: default_paths().control, metadata=must(path))
    # Users beside the daemon's own that may connect.
    allowed_uids: frozenset[int] = field(default_factory=frozenset, metadata=must(user_ids))


@dataclass(frozen=True, slots=True)
class TimeoutSettings:
    """Seconds after which a waiting program gets its answer whatever the device does."""

    login: float = field(default=60.0, metadata=must(seconds(600)))
    private_operation: float = field(default=60.0, metadata=must(seconds(600)))
    key_generation: float = field(default=120.0, metadata=must(seconds(600)))
    # How long the device stays logged in after the last application has left.
    logout_linger: float = field(default=2.0, metadata=must(seconds(3600, or_none=True)))


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written to standard error, or to the journal."""

    level: str = field(default="info", metadata=must(one_of("debug", "info", "warning", "error")))
    format: str = field(default="console", metadata=must(one_of("console", "json")))


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file."""

    state: Path = field(default_factory=lambda: default_paths().state, metadata=must(path))
    sockets: Sockets = field(default_factory=Sockets, metadata=must(section(Sockets)))
    timeouts: TimeoutSettings = field(default_factory=TimeoutSettings, metadata=must(section(TimeoutSettings)))
    log: LogSettings = field(default_factory=LogSettings, metadata=must(section(LogSettings)))


def load_config(file: Path | None) -> Config:
    """The configuration of a file, or the defaults. Raises ConfigError."""
    if file is None:
        return Config()
    try:
        return section(Config)(tomllib.loads(file.read_text()))
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, EntryError) as error:
        raise ConfigError(f"{file}: {error}") from None
