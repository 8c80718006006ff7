"""The usage log and clone proofs over HTTP, for operators."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from fob_office.distribution.routes import Number
from fob_office.http.parameters import AfterId, PageSize
from fob_office.http.problems import documented
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.validation.log import lines_after
from fob_office.validation.proofs import proof_of
from fob_office.validation.views import ProofView, ValidationView, validation_view
from fob_office.words import Hex16


def operator_routes(office: Office) -> Sequence[APIRouter]:
    """All of them."""
    router = APIRouter()

    @router.get("/validations", summary="What was asked of copies, oldest first", operation_id="list_validations")
    def list_validations(
        copy: Annotated[Hex16 | None, Query(description="Only of this one.")] = None,
        after: AfterId = 0,
        count: PageSize = PAGE,
    ) -> list[ValidationView]:
        number = bytes.fromhex(copy) if copy is not None else None
        with office.database.read() as session:
            return [validation_view(office, line) for line in lines_after(session, after, number, count)]

    @router.get(
        "/copies/{number}/proof", summary="That it was cloned", operation_id="get_clone_proof",
        responses=documented(404),
    )  # fmt: skip
    def get_proof(number: Number) -> ProofView:
        with office.database.read() as session:
            return ProofView(proof=b64encode(proof_of(session, bytes.fromhex(number))).decode())

    return (router,)
