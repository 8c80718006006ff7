"""What an operator wants of a new data centre."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fob_office.centre.boxes.pkcs11_vault import ModulePlace
from fob_office.centre.bus.passes import Kind
from fob_office.centre.places import KindSettings, ModuleSettings
from fob_protocol.metering.kinds import Freshness
from fob_protocol.metering.limits import DAY
from fob_protocol.metering.records import Limits
from fob_protocol.office.message import Version

# Processes of each kind; there is one manufacturing box and one first operator beside them. The payment provider stays
# one: a second book would take a number's money once more.
COUNTS: Final[Mapping[Kind, int]] = {
    Kind.STEEL: 1,
    Kind.METER: 2,
    Kind.AUTHENTICATION: 2,
    Kind.TRANSACTION: 2,
    Kind.FUNCTION: 2,
    Kind.DATABASE: 1,
    Kind.COMMUNICATION: 1,
    Kind.PAYMENT: 1,
}
# The component that comes with Fob and says what a letter costs.
RATES: Final = "postage-rates"


@dataclass(frozen=True, slots=True)
class NewKind:
    """A value kind. `programs`: rate components with their least versions; `age`: of tickets, in seconds.

    `is_public`: tokens are signatures, which strangers verify (M16).
    """

    name: str
    freshness: Freshness
    limits: Limits
    programs: Mapping[str, Version]
    age: int = DAY
    is_public: bool = False

    def settings(self, version: int) -> KindSettings:
        """With the newest version of its keys."""
        limits = self.limits
        return KindSettings(
            version=version, freshness=self.freshness, piece=limits.piece, daily=limits.daily, credit=limits.credit,
            is_public=self.is_public, programs=dict(self.programs), age=self.age,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """`module`: masters go there; `kept_module`: the same without its PIN.

    `keep_keys`: a folder for the owners' keys, which else nobody has afterwards.
    """

    value_kind: NewKind
    counts: Mapping[Kind, int] = field(default_factory=lambda: COUNTS)
    database: str | None = field(default=None, repr=False)
    module: ModulePlace | None = None
    kept_module: ModuleSettings | None = None
    keep_keys: Path | None = None
    deposit: int = 0
    fee: int = 0

    def names(self, kind: Kind) -> list[str]:
        """`meter-1`, `meter-2` ..."""
        return [f"{kind.word}-{number}" for number in range(1, self.counts[kind] + 1)]
