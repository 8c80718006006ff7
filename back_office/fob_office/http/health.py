"""GET /healthz: whether questions would be answered, and what will soon be in the way."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from fob_office.centre.places import centre_folder
from fob_office.centre.seen import see_centre
from fob_office.centre.supervising.status import TAMPERED, lost_kinds
from fob_office.centre.troubles import no_view_of, put_back_of
from fob_office.components.ends import ending_in_short
from fob_office.http.problems import documented
from fob_office.issuer.ends import soon_over
from fob_office.office import Office


class Health(BaseModel):
    """`warnings` are for whoever runs the office."""

    status: str = Field(examples=["ok"])
    warnings: list[str] = Field(examples=[["the revocation list ends in 12 days: fob-office issuer renew-list"]])


def health_routes(office: Office) -> APIRouter:
    """Without a token, since load balancers have none; what it says, devices are told too."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Is it well?", operation_id="health", responses=documented(503))
    def healthz() -> Health:
        with office.database.read() as session:
            warnings = [*soon_over(session, office), *ending_in_short(session, office.now())]
        return Health(status="ok", warnings=[*warnings, *_troubles(office)])

    return router


def _troubles(office: Office) -> list[str]:
    """Of the data centre. Which box it is, strangers are not told."""
    state = office.settings.state
    seen = see_centre(state, centre_folder(state))
    if seen is None or seen.status is None:
        return []
    status, found = seen.status, []
    if any(process.state == TAMPERED for process in status.processes):
        lost = ", and no other does what it did" if lost_kinds(status.processes) else ""
        found.append(f"a box of the data centre was tampered with{lost}")
    if put_back_of(status):
        found.append("a box of the data centre was put back to an older folder")
    if no_view_of(status):
        found.append("no meters of the data centre go to another box, should theirs end")
    return [f"{one}: fob-office centre status" for one in found]
