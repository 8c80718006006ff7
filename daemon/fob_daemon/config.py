"""The configuration file (TOML). Every value has a default: most people need no file.

[sockets]
provider = "/run/user/1000/fob/provider.sock"
[timeouts]
private_operation = 60
"""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fob_daemon.paths import default_paths


class ConfigError(ValueError):
    """The file cannot be used; the text names the entry and the rule."""


class Section(BaseModel):
    """No entry that is not known: a typing error must not be silent."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sockets(Section):
    """Where programs connect; a socket that systemd passes goes before its path."""

    provider: Path = Field(default_factory=lambda: default_paths().provider)
    agent: Path = Field(default_factory=lambda: default_paths().agent)
    control: Path = Field(default_factory=lambda: default_paths().control)
    # Users beside the daemon's own that may connect.
    allowed_uids: frozenset[int] = frozenset()


class TimeoutSettings(Section):
    """Seconds after which a waiting program gets its answer whatever the device does."""

    login: float = Field(default=60.0, gt=0, le=600)
    private_operation: float = Field(default=60.0, gt=0, le=600)
    key_generation: float = Field(default=120.0, gt=0, le=600)
    # For what neither waits for a person nor computes for long.
    command: float = Field(default=10.0, gt=0, le=600)
    # How long the device stays logged in after the last application has left.
    logout_linger: float = Field(default=2.0, ge=0, le=3600)


class LogSettings(Section):
    """What is written to standard error, or to the journal."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class Config(Section):
    """The whole file."""

    state: Path = Field(default_factory=lambda: default_paths().state)
    sockets: Sockets = Field(default_factory=Sockets)
    timeouts: TimeoutSettings = Field(default_factory=TimeoutSettings)
    log: LogSettings = Field(default_factory=LogSettings)


def load_config(path: Path | None) -> Config:
    """The configuration of a file, or the defaults. Raises ConfigError."""
    if path is None:
        return Config()
    try:
        return Config.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first_mistake(error)}") from None


def _first_mistake(error: ValidationError) -> str:
    mistake = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in mistake["loc"])
    return f"'{place}': {mistake['msg'].lower()}"
