"""The usage watch over HTTP, for operators."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from fob_office.distribution.operating import copy_of
from fob_office.distribution.routes import Number
from fob_office.http.parameters import AfterId, PageSize
from fob_office.http.problems import documented
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.watching.findings import Which, acknowledge, finding_of, findings_after
from fob_office.watching.rules import RuleName
from fob_office.watching.settings import all_settings, change_rule, reset_rule
from fob_office.watching.usage import usages
from fob_office.watching.views import (
    ChangedRule,
    FindingView,
    RuleView,
    UsageView,
    finding_view,
    rule_view,
    usage_view,
)
from fob_office.words import Hex16, Name

FindingNumber = Annotated[int, Path(ge=1, le=(1 << 53) - 1, description="Of the finding.")]


def operator_routes(office: Office) -> Sequence[APIRouter]:
    """All of them."""
    return _rules(office), _findings(office)


def _rules(office: Office) -> APIRouter:
    router = APIRouter(prefix="/usage")

    @router.get("/rules", summary="What is looked for, for all programs and for some", operation_id="list_usage_rules")
    def list_rules() -> list[RuleView]:
        with office.database.read() as session:
            return [rule_view(setting) for setting in all_settings(session)]

    @router.put(
        "/rules", summary="Change a rule, for all programs or for one", operation_id="change_usage_rule",
        responses=documented(404, 409),
    )  # fmt: skip
    def change(request: Request, changed: ChangedRule) -> RuleView:
        return rule_view(change_rule(office, changed.change(), request.state.operator))

    @router.delete(
        "/rules/{rule}", summary="Take back what was changed of a rule", operation_id="reset_usage_rule",
        responses=documented(404),
    )  # fmt: skip
    def reset(
        request: Request, rule: Annotated[RuleName, Path()], program: Annotated[Name | None, Query()] = None
    ) -> RuleView:
        return rule_view(reset_rule(office, rule, program, request.state.operator))

    return router


def _findings(office: Office) -> APIRouter:
    router = APIRouter(prefix="/usage")

    @router.get("/findings", summary="What was found, oldest first", operation_id="list_findings")
    def list_findings(
        only_open: Annotated[bool, Query(alias="open", description="Only those that nobody has seen.")] = False,
        copy: Annotated[Hex16 | None, Query(description="Only of this one.")] = None,
        after: AfterId = 0,
        count: PageSize = PAGE,
    ) -> list[FindingView]:
        which = Which(only_open, bytes.fromhex(copy) if copy is not None else None)
        with office.database.read() as session:
            return [finding_view(*found) for found in findings_after(session, after, which, count)]

    @router.post(
        "/findings/{number}/acknowledge", summary="Say that it was seen", operation_id="acknowledge_finding",
        responses=documented(404, 409),
    )  # fmt: skip
    def acknowledge_one(request: Request, number: FindingNumber) -> FindingView:
        acknowledge(office, number, request.state.operator)
        with office.database.read() as session:
            return finding_view(*finding_of(session, number))

    @router.get(
        "/copies/{number}", summary="How a copy was used in the last 28 days", operation_id="get_usage",
        responses=documented(404),
    )  # fmt: skip
    def get_usage(number: Number) -> UsageView:
        with office.database.read() as session:
            copy = copy_of(session, bytes.fromhex(number))
            return usage_view(copy, usages(session, [copy.id], office.now())[copy.id])

    return router
