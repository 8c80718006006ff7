"""POST /v1/<service>: sealed octets in, sealed octets out (docs/office-protocol.md, section 3)."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from fob_office.answering import Answering, UnreadableError
from fob_office.database.session import CANNOT_NOW
from fob_office.http.limits import Rates, Turns
from fob_office.http.metrics import Metrics
from fob_office.http.problems import LaterError, ProblemError, documented
from fob_protocol.office.envelope import Service
from fob_protocol.office.limits import ANSWER_LIMIT, QUESTION_LIMIT

log = structlog.get_logger(__name__)

# RFC 9052, section 11.3.
MEDIA_TYPE: Final = 'application/cose; cose-type="cose-encrypt0"'
_PLAIN_MEDIA_TYPE: Final = "application/cose"


def device_routes(answering: Answering, turns: Turns, rates: Rates, metrics: Metrics) -> APIRouter:
    """A route for each service that is answered here."""
    answers = {service: partial(_answer, service, answering, turns) for service in answering.services}
    return sealed_routes(answers, rates, metrics)


def sealed_routes(
    answers: Mapping[Service, Callable[[bytes], Awaitable[bytes]]], rates: Rates, metrics: Metrics
) -> APIRouter:
    """What answers the questions of each service. It raises ProblemError."""
    router = APIRouter(prefix="/v1", tags=["sealed"])
    for service, answer in answers.items():
        router.add_api_route(
            f"/{service}",
            _endpoint(service, metrics, rates, answer),
            methods=["POST"],
            operation_id=f"ask_{service}",
            summary=f"A device's sealed question to service {service}",
            response_class=Response,
            responses=_responses(),
            openapi_extra={"requestBody": _request_body()},
        )
    return router


def _endpoint(
    service: Service, metrics: Metrics, rates: Rates, answer: Callable[[bytes], Awaitable[bytes]]
) -> Callable[[Request], Awaitable[Response]]:
    async def ask(request: Request) -> Response:
        with metrics.question(service):
            rates.take(request.client.host if request.client else "")
            return Response(await answer(await request.body()), media_type=MEDIA_TYPE)

    return ask


async def _answer(service: Service, answering: Answering, turns: Turns, sealed: bytes) -> bytes:
    """Raises ProblemError: whatever else goes wrong is a mistake of ours, and the device may ask again."""
    try:
        return await turns.run(partial(answering.answer, service, sealed))
    except ProblemError:
        raise
    except UnreadableError as error:
        raise ProblemError(400, str(error)) from None
    except CANNOT_NOW as error:
        log.warning("database cannot answer", error=type(error).__name__, why=" ".join(str(error).split())[:500])
    except Exception:
        log.exception("fault", service=service)
    raise LaterError(503, "the office cannot answer now")


def _request_body() -> dict[str, Any]:
    described = "COSE_Encrypt0 with HPKE, to the server's sealing key."
    schema = {"type": "string", "format": "binary", "maxLength": QUESTION_LIMIT}
    return {"required": True, "description": described, "content": {_PLAIN_MEDIA_TYPE: {"schema": schema}}}


def _responses() -> dict[int | str, dict[str, Any]]:
    schema = {"type": "string", "format": "binary", "maxLength": ANSWER_LIMIT}
    answer = {
        "description": "The answer, or a refusal: sealed to the question's reply key.",
        "content": {_PLAIN_MEDIA_TYPE: {"schema": schema}},
    }
    return {200: answer} | documented(400, 413, 429, 503)
