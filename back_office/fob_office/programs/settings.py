"""How copies of a program are made, measured and admitted: as the specification has it, or as an operator says."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.components.versions import pack
from fob_office.errors import OperatorError
from fob_office.programs.programs import Program
from fob_office.programs.tables import EVERY_VERSION, ProgramSetting
from fob_protocol.integrity.copy_record import COMPONENT_POLICY, INSTALLATION_POLICY, Policy
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.office.errors import OfficeError

# Everything that a measurement can have.
DEFAULT_METHOD: Final = Method(Technique.D7, Embedder.DISTRIBUTOR, Variant.VA_7)
# D1 to D4 say who embeds.
_EMBEDDERS: Final = {
    Technique.D1: Embedder.DISTRIBUTOR,
    Technique.D2: Embedder.TOOL,
    Technique.D3: Embedder.DISTRIBUTOR,
    Technique.D4: Embedder.TOOL,
}
# What the tool does in the place of the distributor.
_BY_TOOL: Final = {Technique.D1: Technique.D2, Technique.D3: Technique.D4}


@dataclass(frozen=True, slots=True)
class Setting:
    """Of the copies that are made from now on; those that there are keep what their records say."""

    method: Method
    policy: Policy


def default_setting(program: Program) -> Setting:
    """What is not said otherwise (docs/integrity-protocol.md, section 4)."""
    return Setting(DEFAULT_METHOD, COMPONENT_POLICY if program.release is not None else INSTALLATION_POLICY)


def settings_of(session: Session, programs: Collection[Program]) -> dict[Program, Setting]:
    """Of each that of its version, or of all its versions, or what the specification says."""
    query = select(ProgramSetting).where(ProgramSetting.program.in_({program.name for program in programs}))
    rows = {(row.program, row.version): row for row in session.scalars(query)}
    found = {}
    for program in programs:
        own = rows.get((program.name, pack(program.version)))
        row = own if own is not None else rows.get((program.name, EVERY_VERSION))
        found[program] = read_setting(row) if row is not None else default_setting(program)
    return found


def setting_of(session: Session, program: Program) -> Setting:
    """Of one."""
    return settings_of(session, [program])[program]


def read_setting(row: ProgramSetting) -> Setting:
    """As it stands in its row."""
    method = Method(Technique(row.technique), Embedder(row.embedder), Variant(row.variant))
    return Setting(method, Policy(row.lifetime, row.interval, row.grace, row.rolls))


def method_of(technique: Technique, embedder: Embedder, variant: Variant) -> Method:
    """Raises OperatorError: the technique has another embedder."""
    method = Method(technique, embedder, variant)
    try:
        method.check()
    except OfficeError as error:
        raise OperatorError("that is no method", error.why, "fob-office program policy --help") from None
    return method


def embedder_of(technique: Technique, other: Embedder) -> Embedder:
    """Who embeds; `other` where the technique leaves it open."""
    return _EMBEDDERS.get(technique, other)


def letter_method(method: Method, technique: Technique | None) -> Method:
    """Of a copy whose identifier comes in a letter. Raises OperatorError for a technique without the tool."""
    told = technique or _BY_TOOL.get(method.technique, method.technique)
    return method_of(told, Embedder.TOOL, method.variant)
