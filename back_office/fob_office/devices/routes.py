"""Devices over HTTP, for operators."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request

from fob_office.devices.service import add_device, device_of, devices_after, set_state
from fob_office.devices.tables import DeviceState
from fob_office.devices.views import DeviceDetails, DeviceView, NewDevice, Serial, device_details, device_view
from fob_office.http.parameters import PageSize
from fob_office.http.problems import documented
from fob_office.office import Office
from fob_office.paging import PAGE

SerialPath = Annotated[Serial, Path(description="Of the device.")]
PREFIX: Final = "/devices"


def operator_routes(office: Office) -> Sequence[APIRouter]:
    """All of them."""
    return _reading(office), _changing(office)


def _reading(office: Office) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.get("", summary="All devices, by serial", operation_id="list_devices")
    def list_devices(
        after: Annotated[Serial | None, Query(description="The last serial that is known.")] = None,
        count: PageSize = PAGE,
    ) -> list[DeviceView]:
        with office.database.read() as session:
            return [device_view(device) for device in devices_after(session, after or "", count)]

    @router.get("/{serial}", summary="One device", operation_id="get_device", responses=documented(404))
    def get_device(serial: SerialPath) -> DeviceDetails:
        with office.database.read() as session:
            return device_details(session, device_of(session, serial), office.now())

    return router


def _changing(office: Office) -> APIRouter:
    router = APIRouter(prefix=PREFIX, responses=documented(409))

    @router.post("", status_code=201, summary="Add a device by its factory record", operation_id="add_device")
    def add(request: Request, new: NewDevice) -> DeviceView:
        return device_view(add_device(office, b64decode(new.factory_record), request.state.operator))

    @router.post(
        "/{serial}/disable", summary="Deny it", operation_id="disable_device", responses=documented(404)
    )  # fmt: skip
    def disable(request: Request, serial: SerialPath) -> DeviceView:
        return changed(serial, DeviceState.DISABLED, request.state.operator)

    @router.post(
        "/{serial}/enable", summary="Let it in again", operation_id="enable_device", responses=documented(404)
    )  # fmt: skip
    def enable(request: Request, serial: SerialPath) -> DeviceView:
        return changed(serial, DeviceState.ACTIVE, request.state.operator)

    def changed(serial: str, state: DeviceState, who: str) -> DeviceView:
        set_state(office, serial, state, who)
        with office.database.read() as session:
            return device_view(device_of(session, serial))

    return router
