"""Which processes of a kind do what they are asked. Those that were tampered with are known by their folders."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_office.centre.boxes.folder import was_tampered_with
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.meter import HeldView
from fob_office.centre.operating.here import names_here
from fob_office.centre.operating.operator import Operator

# Seconds: one that ended is started again in that time.
_PATIENCE: Final = 5.0
_PAUSE: Final = 0.25
_TIME: Final = 2.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Names of a kind. Who is `silent` may come back; who was `tampered` with never does."""

    well: tuple[str, ...]
    silent: tuple[str, ...]
    tampered: tuple[str, ...]


async def standing_of(operator: Operator, kind: Kind, but: str = "") -> Standing:
    """Of all processes of a kind, or of all `but` one. Raises DirectoryError."""
    names = [entry.name for entry in operator.links.directory.of_kind(kind) if entry.name != but]
    tampered = tuple(name for name in names if was_tampered_with(operator.centre / name))
    others = [name for name in names if name not in tampered]
    answered = await asyncio.gather(*(_answers(operator, name) for name in others))
    said = dict(zip(others, answered, strict=True))
    # Looked at again: one that does not start any more says so meanwhile.
    found = tuple(name for name in names if was_tampered_with(operator.centre / name))
    well = tuple(name for name, is_well in said.items() if is_well and name not in found)
    return Standing(well, tuple(name for name in others if name not in (*well, *found)), found)


def whole_here(centre: Path, kind: Kind) -> list[str]:
    """Of this machine, and not tampered with. Raises DirectoryError."""
    return [name for name in names_here(centre, kind) if not was_tampered_with(centre / name)]


async def _answers(operator: Operator, name: str) -> bool:
    """Whatever it says: who refuses is there too."""
    end = asyncio.get_running_loop().time() + _PATIENCE
    while not was_tampered_with(operator.centre / name):
        try:
            await operator.links.to(name).ask(HeldView(), _TIME)
        except AwayError:
            if asyncio.get_running_loop().time() >= end:
                return False
            await asyncio.sleep(_PAUSE)
        except BusRefusedError:
            return True
        else:
            return True
    return False
