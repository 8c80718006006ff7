"""A device's history, and a file with what this computer has seen of it: nobody shortens or changes that unseen."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fob_daemon.control.device_history import SeenError
from fob_daemon.device.registry import PairedDeviceEntry
from fob_daemon.device.remote_token import RemoteToken
from fob_daemon.device.views import HistoryPage
from fob_daemon.files import write_durably
from fob_protocol.history.head import Head
from fob_protocol.history.limits import HASH_SIZE, KEY_SIZE
from fob_protocol.history.verify import Anchor

_LIKE_A_KEY = Meta(pattern=rf"^[0-9a-f]{{{2 * KEY_SIZE}}}\Z")
_LIKE_A_HASH = Meta(pattern=rf"^[0-9a-f]{{{2 * HASH_SIZE}}}\Z")


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds. Another `format` is another version's file."""

    format: Literal[1] = 1
    key: Annotated[str, _LIKE_A_KEY]
    length: Annotated[int, Meta(ge=0)]
    hash: Annotated[str, _LIKE_A_HASH]


@dataclass(frozen=True, slots=True)
class History:
    """Implements the control socket's DeviceHistory. The file outlives an unpairing.

    A phone that is paired again is the same phone, and is held to what was seen.
    """

    slot: int
    computer: bytes
    remote: RemoteToken
    path: Path

    async def page(self, sequence: int) -> HistoryPage:
        """Records from `sequence` on. Raises CkrError."""
        return await self.remote.history(sequence)

    async def head(self, nonce: bytes) -> Head:
        """The end, signed for `nonce`. Raises CkrError."""
        return await self.remote.history_head(nonce)

    def seen(self) -> Anchor | None:
        """None when this computer never looked. Raises SeenError."""
        try:
            document = msgspec.json.decode(self.path.read_bytes(), type=Document)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SeenError(f"{self.path}: {error.strerror or error}", f"ls -l {shlex.quote(str(self.path))}") from None
        except (ValueError, RecursionError) as error:
            # Beginning anew in silence would be what somebody wants who has changed the history.
            file = shlex.quote(str(self.path))
            raise SeenError(f"{self.path} is damaged: {error}", f"mv {file} {file}.damaged") from None
        return Anchor(bytes.fromhex(document.key), document.length, bytes.fromhex(document.hash))

    def keep(self, anchor: Anchor) -> None:
        """Raises SeenError, also for what is no continuation of what was seen."""
        seen = self.seen()
        if seen == anchor:
            return
        if seen is not None and (seen.key != anchor.key or seen.length >= anchor.length):
            raise SeenError("another log key, or more entries than now, were seen already", "fob log --verify")
        document = Document(key=anchor.key.hex(), length=anchor.length, hash=anchor.hash.hex())
        try:
            write_durably(self.path, msgspec.json.encode(document))
        except OSError as error:
            raise SeenError(f"{self.path} cannot be written: {error.strerror or error}", "fob doctor") from None


def history_name(entry: PairedDeviceEntry) -> str:
    """The file with what was seen of a device's history; by its key, as another device never inherits it."""
    return f"history-{entry.key[:16]}.json"
