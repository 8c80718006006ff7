"""Whose computer it is, as far as setting up has to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Person:
    """`provider` and `agent` are the daemon's sockets."""

    environment: Mapping[str, str]
    uid: int
    provider: str
    agent: str

    @property
    def home(self) -> Path:
        """Their home folder."""
        return Path(self.environment["HOME"]) if "HOME" in self.environment else Path.home()

    @property
    def configuration(self) -> Path:
        """XDG's."""
        given = self.environment.get("XDG_CONFIG_HOME")
        return Path(given) if given else self.home / ".config"

    @property
    def shell(self) -> str:
        """Its name, `sh` where none is known."""
        return Path(self.environment.get("SHELL", "sh")).name

    @property
    def other_agent(self) -> str:
        """The agent that their programs ask now, empty where it is none or the phone's."""
        variable = self.environment.get("SSH_AUTH_SOCK", "")
        return "" if variable == self.agent else variable
