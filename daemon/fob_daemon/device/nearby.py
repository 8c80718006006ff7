"""What is near by radio, as the control socket shows it."""

from collections.abc import Mapping

from fob_daemon.control.errors import ControlError
from fob_daemon.control.interface import NearbyReport
from fob_daemon.link.lines import Lines
from fob_daemon.link.transport import BLE, LineUnavailableError


async def scan(lines: Lines, seconds: float, paired: Mapping[str, str]) -> list[NearbyReport]:
    """The devices heard in this time, the strongest signal first; `paired` are names by URL. Raises ControlError."""
    try:
        found = await lines.scan(seconds)
    except LineUnavailableError as error:
        raise ControlError("nothing was scanned", error.why, error.remedy or "fob doctor") from None
    urls = [(f"{BLE}:{device.address}", device) for device in found]
    return [NearbyReport(url, device.name, device.rssi, paired.get(url)) for url, device in urls]
