"""What git's configuration was before fob changed it, so that it can be put back to the octet."""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fob_daemon.cli.changes import files
from fob_daemon.control.errors import ControlError
from fob_daemon.files import write_durably

# In place of a digest: no octets are those.
UNKNOWN: Final = "?"

NAME: Final = "git-before-fob.json"

Values = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Before:
    """One configuration file: its octets (None: there was none), their digest after fob's change, and the values.

    `settings` were there before; `ours` is what fob set.
    """

    octets: bytes | None
    after: str
    settings: Values
    ours: Mapping[str, str]


class Record:
    """By configuration file. Its own file is as secret as the configuration, and gone with the last entry."""

    def __init__(self, state: Path) -> None:
        self._path = state / NAME

    def get(self, config: Path) -> Before | None:
        """None where fob has changed nothing. Raises ControlError."""
        found = self._load().get(str(config))
        if found is None:
            return None
        octets = None if found["octets"] is None else b64decode(found["octets"])
        return Before(octets, found["after"], found["settings"], found["ours"])

    def noted(self, config: Path) -> Collection[str]:
        """The values that fob has set there, the names of its own files among them. Raises ControlError."""
        before = self.get(config)
        return () if before is None else before.ours.values()

    def put(self, config: Path, before: Before | None) -> None:
        """Keep it; None forgets it. Raises ControlError."""
        document = self._load()
        if before is None:
            document.pop(str(config), None)
        else:
            document[str(config)] = {
                "octets": None if before.octets is None else b64encode(before.octets).decode(),
                "after": before.after,
                "settings": dict(before.settings),
                "ours": dict(before.ours),
            }
        if document:
            self._store(document)
        elif self._path.exists():
            files.remove(self._path)

    def _load(self) -> dict[str, Any]:
        text = files.read(self._path)
        if text is None:
            return {}
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise ControlError("what git's settings were is not known", f"{self._path} is damaged", f"rm {self._path}")
        return document

    def _store(self, document: dict[str, Any]) -> None:
        try:
            files.make_folder(self._path.parent)
            write_durably(self._path, json.dumps(document).encode())
        except OSError as error:
            why = f"{self._path}: {error.strerror or error}"
            raise ControlError("what git's settings were is not kept", why, "fob doctor") from None


def octets_of(config: Path) -> bytes | None:
    """None where there is no file. Raises ControlError."""
    text = files.read(config)
    return None if text is None else text.encode("utf-8", "surrogateescape")


def digest(octets: bytes | None) -> str:
    """Empty for no file."""
    return "" if octets is None else hashlib.sha256(octets).hexdigest()
