"""Style sheets, script and icon: read once, served from memory."""

from dataclasses import dataclass
from importlib import resources
from typing import Final

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOLDER: Final = resources.files("fob_device.screen.web") / "static"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """What a browser gets."""

    content_type: str
    content: bytes


def load_static_files() -> dict[str, StaticFile]:
    """All of them, by path below the token."""
    return {
        f"static/{file.name}": StaticFile(_TYPES[f".{file.name.rpartition('.')[2]}"], file.read_bytes())
        for file in _FOLDER.iterdir()
    }
