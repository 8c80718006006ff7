"""bleak's scanner on bumble."""

from typing import Any, Literal

from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.uuids import normalize_uuid_str
from bumble.core import UUID, AdvertisingData
from bumble.device import Advertisement, Device

from fob_daemon.link.ble.hci.errors import bleak_errors
from fob_daemon.link.ble.hci.host import HciHost, bare_address


class HciScanner(BaseBleakScanner):
    """A scan. bleak's `**kwargs` carry the host."""

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: Literal["active", "passive"],
        *,
        host: HciHost,
        **kwargs: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._is_active = scanning_mode == "active"
        self._host = host
        self._device: Device | None = None

    async def start(self) -> None:
        """Scan. Raises BleakError."""
        self.seen_devices = {}
        with bleak_errors():
            device = await self._host.device()
            device.on(device.EVENT_ADVERTISEMENT, self._hear)
            self._device = device
            await device.start_scanning(active=self._is_active)

    async def stop(self) -> None:
        """Stop scanning. Raises BleakError."""
        device, self._device = self._device, None
        if device is not None:
            device.remove_listener(device.EVENT_ADVERTISEMENT, self._hear)
            with bleak_errors():
                await device.stop_scanning()

    def _hear(self, advertisement: Advertisement) -> None:
        heard = advertisement.data
        uuids = [normalize_uuid_str(uuid.to_hex_str("-")) for uuid in _service_uuids(heard)]
        if not self.is_allowed_uuid(uuids):
            return
        name = heard.get(AdvertisingData.COMPLETE_LOCAL_NAME) or heard.get(AdvertisingData.SHORTENED_LOCAL_NAME)
        address = bare_address(advertisement.address)
        data = AdvertisementData(
            local_name=name if isinstance(name, str) else None,
            manufacturer_data={},
            service_data={},
            service_uuids=uuids,
            tx_power=None,
            rssi=advertisement.rssi,
            platform_data=(advertisement,),
        )
        device = self.create_or_update_device(address, address, data.local_name, advertisement.address, data)
        self.call_detection_callbacks(device, data)


def _service_uuids(heard: AdvertisingData) -> list[UUID]:
    uuids: list[UUID] = []
    for kind in (
        AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    ):
        for found in heard.get_all(kind):
            if isinstance(found, list):
                uuids += [uuid for uuid in found if isinstance(uuid, UUID)]
    return uuids
