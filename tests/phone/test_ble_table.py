"""The table of what the phone offers by radio (protocol, section 8): nobody writes anything of it."""

from pathlib import Path

import pytest
from bumble.core import ProtocolError

from fob_device.ports.ble.station import static_address
from fob_device.radio.radio import Radio
from support.ble_world import OK, Handset, on_the_air
from support.central import central
from support.virtual_loop import run_virtually


@pytest.mark.clause("P7")
@pytest.mark.parametrize("is_bonded", [False, True])
def test_nobody_rewrites_what_the_phone_offers(tmp_path: Path, is_bonded: bool) -> None:
    async def story() -> None:
        radio, handset = Radio(seed=1), Handset(tmp_path)
        address = static_address(handset.phone.identity.public)
        async with on_the_air(handset.phone, radio), central(radio.attach("pc"), "C0:00:00:00:00:01") as pc:
            await pc.connect(address)
            if is_bonded:
                await pc.bond()
            ours = {pc.handle(name) for name in ("to device", "to pc", "configuration")}
            for handle in set(range(1, 16)) - ours:
                with pytest.raises(ProtocolError):
                    await pc.write(handle, b"evil")
                await pc.write(handle, b"evil", response=False)
            await pc.disconnect()
            # Whoever comes next finds the same service, and can use it.
            await pc.connect(address)
            await pc.bond()
            await pc.subscribe()
            await pc.send(b"ATE0\r")
            await pc.receive_until(OK)
        handset.switch_off()

    run_virtually(story())
