"""The page of a program: how its copies are made, and the copies with a picture of each one's usage."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.components.candidates import release_of
from fob_office.components.tables import SignedRelease
from fob_office.distribution.operating import Which, copies_after
from fob_office.distribution.views import CopyView, copy_views
from fob_office.errors import NotFoundError
from fob_office.page.overview import ProgramLine, program_lines
from fob_office.page.pictures import Picture, bars
from fob_office.programs.programs import Program, newest_version
from fob_office.programs.settings import setting_of
from fob_office.programs.views import SettingView, setting_view
from fob_office.watching.settings import Setting, settings_for
from fob_office.watching.usage import usages
from fob_office.watching.views import RuleView, rule_view
from fob_protocol.integrity.validation import State
from fob_protocol.office.component import words

# Copies on one page.
PAGE: Final = 25
# In the place of a state: another copy is in the place of these.
REPLACED: Final = "replaced"


@dataclass(frozen=True, slots=True)
class ProgramPage:
    """`setting` is that of the newest version; `more`: the next page.

    `state`: the only copies that are shown, of the current ones those in it, or all `replaced` ones.
    """

    program: str
    title: str
    version: str
    kind: str
    setting: SettingView
    line: ProgramLine
    rules: tuple[RuleView, ...]
    state: str | None
    copies: tuple[tuple[CopyView, Picture], ...]
    after: int
    more: int | None


def program_page(session: Session, name: str, state: str | None, after: int, now: int) -> ProgramPage:
    """Raises NotFoundError."""
    program = newest_version(session, name)
    if program is None:
        raise NotFoundError(f"there is no program {name}", "it was never added", "fob-office program list")
    which = _which(name, state)
    rows = copies_after(session, after, which, PAGE + 1)
    found = usages(session, [row.id for row in rows[:PAGE]], now)
    views = copy_views(session, rows[:PAGE])
    lines = program_lines(session, name) or (ProgramLine(name, (0,) * len(State)),)
    return ProgramPage(
        name, _title(session, program), words(program.version),
        "component" if program.release is not None else "installation",
        setting_view(setting_of(session, program)), lines[0],
        tuple(map(rule_view, _on(session, name))), state,
        tuple((view, bars(found[view.id])) for view in views),
        after, rows[PAGE - 1].id if len(rows) > PAGE else None,
    )  # fmt: skip


def _which(name: str, state: str | None) -> Which:
    if state == REPLACED:
        return Which(program=name, is_current=False)
    return Which(program=name, state=State[state.upper()] if state is not None else None, is_current=True)


def _title(session: Session, program: Program) -> str:
    """As its publisher calls it."""
    query = select(SignedRelease.signed).where(SignedRelease.id == program.release)
    signed = session.scalars(query).one_or_none()
    return release_of(signed).title if signed is not None else program.name


def _on(session: Session, name: str) -> list[Setting]:
    return [setting for setting in settings_for(session, name).values() if setting.is_on]
