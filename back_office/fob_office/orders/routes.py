"""Orders over HTTP, for operators."""

from base64 import b64decode
from collections.abc import Sequence

from fastapi import APIRouter, Request

from fob_office.devices.routes import SerialPath
from fob_office.http.problems import documented
from fob_office.office import Office
from fob_office.orders.service import change_order, create_order
from fob_office.orders.views import ChangedOrder, NewOrder, OrderView, order_view


def operator_routes(office: Office) -> Sequence[APIRouter]:
    """All of them."""
    router = APIRouter(prefix="/orders", responses=documented(404))

    def seen(serial: str) -> OrderView:
        with office.database.read() as session:
            return order_view(session, serial, office.now())

    @router.get("/{serial}", summary="What was ordered for a device", operation_id="get_order")
    def get_order(serial: SerialPath) -> OrderView:
        return seen(serial)

    @router.post(
        "", status_code=201, summary="Order options for a device", operation_id="create_order",
        responses=documented(409),
    )  # fmt: skip
    def create(request: Request, new: NewOrder) -> OrderView:
        create_order(
            office, new.serial, new.options, request.state.operator,
            equipment=new.equipment, factory_record=b64decode(new.factory_record or ""),
        )  # fmt: skip
        return seen(new.serial)

    @router.put("/{serial}", summary="Other options", operation_id="change_order", responses=documented(409))
    def change(request: Request, serial: SerialPath, order: ChangedOrder) -> OrderView:
        change_order(office, serial, order.options, request.state.operator)
        return seen(serial)

    return (router,)
