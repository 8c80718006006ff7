"""POST /v1/metering: what devices ask of the data centre goes on to it as it came (M2)."""

from fastapi import APIRouter

from fob_office.centre.communication.asking import CentreAsker, CentreAwayError, NotReadableError
from fob_office.http.device import sealed_routes
from fob_office.http.limits import Rates
from fob_office.http.metrics import Metrics
from fob_office.http.problems import LaterError, ProblemError
from fob_protocol.office.envelope import Service


def metering_routes(asker: CentreAsker, rates: Rates, metrics: Metrics) -> APIRouter:
    """The office opens nothing of it."""

    async def answer(sealed: bytes) -> bytes:
        try:
            return await asker.ask(sealed)
        except NotReadableError as error:
            raise ProblemError(400, str(error)) from None
        except CentreAwayError:
            raise LaterError(503, "the data centre cannot answer now") from None

    return sealed_routes({Service.METERING: answer}, rates, metrics)
