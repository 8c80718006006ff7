"""What a device told, in its meter's file: the meter's state, and the layouts and slogans of labels."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from fob_daemon.metering.kept.file import StoreFile
from fob_daemon.metering.views import MeterState

# Layouts and slogans.
_COMPONENTS_KEPT: Final = 8


class ToldRows:
    """Methods raise what those of StoreFile do."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    def state(self) -> MeterState | None:
        """What the device told last."""
        found = self._file.row("SELECT state FROM known")
        return MeterState(**json.loads(found[0])) if found else None

    def keep_state(self, state: MeterState) -> None:
        """Instead of what it told before."""
        with self._file.changing() as database:
            database.execute("INSERT OR REPLACE INTO known VALUES (1, ?)", (json.dumps(asdict(state)),))

    def component(self, id_: str, version: str | None) -> bytes | None:
        """A layout's or slogan's content; of whatever version for None."""
        found = self._file.row(
            "SELECT content FROM components WHERE id = ? AND coalesce(?, version) = version", id_, version
        )
        return bytes(found[0]) if found else None

    def component_ids(self) -> list[str]:
        """Of those that are kept."""
        return [id_ for (id_,) in self._file.rows("SELECT id FROM components ORDER BY id")]

    def keep_components(self, found: Sequence[tuple[str, str, bytes]]) -> None:
        """Id, version and content of those that there are now; others are forgotten."""
        with self._file.changing() as database:
            database.execute("DELETE FROM components")
            database.executemany("INSERT INTO components VALUES (?, ?, ?)", found[:_COMPONENTS_KEPT])
