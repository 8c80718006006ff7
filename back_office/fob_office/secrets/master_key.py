"""The one key under which all else is sealed at rest: from systemd's credentials, or a file of the state folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fob_office.errors import OperatorError
from fob_office.secrets.private_file import read_private, write_new
from fob_office.surroundings import Surroundings
from fob_protocol.office.hashing import derive

MASTER_KEY_SIZE: Final = 32
# LoadCredential=fob-office.key:... or LoadCredentialEncrypted=..., systemd.exec(5).
CREDENTIAL: Final = "fob-office.key"
CREDENTIALS_VARIABLE: Final = "CREDENTIALS_DIRECTORY"
FILE: Final = "master.key"

_WHAT: Final = "the master key"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """32 octets that are never shown; `source` says where they are from."""

    octets: bytes = field(repr=False)
    source: Path

    def derived(self, use: str) -> bytes:
        """A key of 32 octets for one use."""
        return derive(self.octets, None, [f"fob/1 {use}"])

    @property
    def fingerprint(self) -> bytes:
        """16 octets by which a database knows its key; they tell nothing else about it."""
        return derive(self.octets, None, ["fob/1 master key"], 16)


def credential(environment: Mapping[str, str]) -> Path | None:
    """Where systemd put the key, if it did."""
    folder = environment.get(CREDENTIALS_VARIABLE)
    path = Path(folder) / CREDENTIAL if folder else None
    return path if path and path.exists() else None


def create_master_key(state: Path, environment: Mapping[str, str], surroundings: Surroundings) -> MasterKey:
    """systemd's where there is one, and else a new one in a file, or the one of an `init` that was cut off.

    Raises OperatorError, OSError.
    """
    path = state / FILE
    if credential(environment) is None and not (path.exists() and path.stat().st_size == MASTER_KEY_SIZE):
        # Half a key has sealed nothing: it is used when it is kept.
        path.unlink(missing_ok=True)
        write_new(path, surroundings.random(MASTER_KEY_SIZE))
    return load_master_key(state, environment)


def load_master_key(state: Path, environment: Mapping[str, str]) -> MasterKey:
    """Raises OperatorError: it is missing, has another size, or others can read it."""
    path = credential(environment) or state / FILE
    command = f"restore {path} from a backup; without it nothing that is sealed opens"
    octets = read_private(path, _WHAT, MASTER_KEY_SIZE, command)
    if len(octets) != MASTER_KEY_SIZE:
        raise OperatorError(f"{_WHAT} is damaged", f"{path} has to hold {MASTER_KEY_SIZE} octets", command)
    return MasterKey(octets, path)
