"""The page of findings, oldest first."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from fob_office.watching.findings import Which, findings_after
from fob_office.watching.views import FindingView, finding_view

# Findings on one page.
PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class FindingsPage:
    """Those that are open, or all; `more`: the next page."""

    is_open: bool
    findings: tuple[FindingView, ...]
    after: int
    more: int | None


def findings_page(session: Session, after: int, *, is_open: bool) -> FindingsPage:
    """Those behind an id."""
    found = findings_after(session, after, Which(is_open=is_open), PAGE + 1)
    more = found[PAGE - 1][0].id if len(found) > PAGE else None
    return FindingsPage(is_open, tuple(finding_view(*one) for one in found[:PAGE]), after, more)
