"""What HTTP itself has to say when something is wrong: application/problem+json (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from fob_office.database.session import CANNOT_NOW
from fob_office.errors import OperatorError

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
# Seconds until another try makes sense, when nothing better is known.
RETRY_AFTER: Final = 2

# The word for a status that nobody gave a better one.
_CODES: Final = {
    400: "malformed", 401: "not-authenticated", 403: "not-allowed", 404: "not-found", 405: "wrong-method",
    409: "conflict", 413: "too-large", 422: "invalid", 429: "too-many-requests", 503: "unavailable",
}  # fmt: skip


class Problem(BaseModel):
    """`code` is for programs, `detail` for people."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(examples=["Service Unavailable"])
    status: int = Field(examples=[503])
    code: str = Field(examples=["unavailable"])
    detail: str = Field(examples=["the database is busy"])
    # What an operator may do about it.
    help: str | None = Field(default=None, examples=["fob-office server list"])


class ProblemError(HTTPException):
    """Raised where a request is read. `detail` holds nothing that the peer sent."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)
        self.code = _CODES[status]


class LaterError(ProblemError):
    """429 or 503: the same again, in so many seconds, may work."""

    def __init__(self, status: int, detail: str, seconds: int = RETRY_AFTER) -> None:
        super().__init__(status, detail, {"Retry-After": str(seconds)})


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, command: str | None = None) -> Response:
    """The answer."""
    body = Problem(
        title=HTTPStatus(status).phrase, status=status, code=_CODES.get(status, "internal"), detail=detail, help=command
    )
    return Response(body.model_dump_json(exclude_none=True), status, dict(headers or {}), MEDIA_TYPE)


def unavailable() -> Response:
    """Whatever was asked may be asked again."""
    return problem(503, "the office cannot answer now", {"Retry-After": str(RETRY_AFTER)})


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These answers in the OpenAPI description."""
    return {status: _documented(status) for status in statuses}


def _documented(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in (429, 503):
        described["headers"] = {
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}, "required": True}
        }
    return described


def tell_problems(app: FastAPI) -> None:
    """Let every error of the app end as a problem."""
    app.exception_handler(HTTPException)(_from_http)
    app.exception_handler(RequestValidationError)(_from_validation)
    app.exception_handler(OperatorError)(_from_operator)
    for kind in CANNOT_NOW:
        app.exception_handler(kind)(_from_database)
    app.exception_handler(Exception)(_from_fault)


async def _from_http(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods_at(request)):
        headers["Allow"] = ", ".join(methods)
    return problem(error.status_code, error.detail, headers)


def _methods_at(request: Request) -> list[str]:
    """All that a path has: Starlette names those of its first route only."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    asked = request.scope["path"]
    # A path that is spelled out is not one of those with a parameter in its place.
    found = [asked] if asked in paths else [path for path in paths if compile_path(path)[0].match(asked)]
    return sorted({method.upper() for path in found for method in paths[path]})


async def _from_validation(_: Request, error: RequestValidationError) -> Response:
    # Places and rules; what was sent may be a secret.
    told = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:10]]
    return problem(422, "; ".join(told))


async def _from_operator(_: Request, error: OperatorError) -> Response:
    return problem(error.status, f"{error.what}: {error.why}", command=error.command)


async def _from_database(_: Request, error: Exception) -> Response:
    log.warning("database cannot answer", error=type(error).__name__, why=" ".join(str(error).split())[:500])
    return unavailable()


async def _from_fault(_: Request, error: Exception) -> Response:
    """A mistake of ours; Starlette raises it again, and it is logged without the values of variables."""
    return problem(500, f"a fault in the office ({type(error).__name__})")
