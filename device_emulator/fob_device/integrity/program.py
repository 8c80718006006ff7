"""What is measured: components as the loader found them, and the device's own program."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fob_protocol.office.message import Version


@dataclass(frozen=True, slots=True)
class Program:
    """One that runs here. `released`: H of what was released, None where only measuring tells.

    `find` gives what there is of it now; slow, off the loop; raises OSError. `needs`: programs that it does not run
    without. `damage`: the name of the rule by which it does not run.
    """

    name: str
    version: Version
    released: bytes | None
    find: Callable[[], bytes] = field(repr=False)
    needs: tuple[str, ...] = ()
    damage: str = ""
