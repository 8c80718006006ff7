"""A phone that a factory made a device is connected with its back office; nothing of that is loaded for another one."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from fob_device.errors import StartError
from fob_device.factory import COMPONENTS_FOLDER, HELP
from fob_device.phone import Phone
from fob_device.serving import say
from fob_device.state import NOT_STARTED

if TYPE_CHECKING:
    from fob_device.office.carrier import Carrier

RUN_HELP: Final = "fob-device run --help"
# Where plain HTTP leaves no machine.
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class OwnNetwork:
    """How a device goes to its office by itself: `ca_file` vouches for the office."""

    url: str
    ca_file: Path | None = None

    @classmethod
    def parse(cls, url: str | None, ca_file: Path | None) -> "OwnNetwork | None":
        """Of the command line. Raises StartError."""
        if url is None:
            if ca_file is not None:
                raise StartError(NOT_STARTED, "--office-ca goes with --office", RUN_HELP)
            return None
        try:
            parts = urlsplit(url)
            good = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        except ValueError:
            good = False
        if not good:
            raise StartError(NOT_STARTED, f"--office is an address as https://office.example.org, not {url}", RUN_HELP)
        if ca_file is not None and not ca_file.is_file():
            raise StartError(NOT_STARTED, f"--office-ca {ca_file}: there is no such file", RUN_HELP)
        return cls(url, ca_file)


def connect(phone: Phone, state: Path, network: OwnNetwork | None) -> None:
    """In a running loop. Raises StartError."""
    if not phone.memory.office_items.is_made:
        if network is not None:
            raise StartError(NOT_STARTED, "--office is for a device that a factory has made", HELP)
        return
    try:
        from fob_device.office.switching import connect_office
    except ModuleNotFoundError as error:
        why = f"its components need the package '{error.name}', which is not installed"
        raise StartError(NOT_STARTED, why, "pip install 'fobd[device]'") from None
    connect_office(phone, state / COMPONENTS_FOLDER, _carrier(network), say)


def _carrier(network: OwnNetwork | None) -> "Carrier | None":
    if network is None:
        return None
    from fob_device.office.direct import Direct

    try:
        return Direct(network.url, network.ca_file)
    except OSError as error:
        fault = "it holds no certificates" if isinstance(error, ssl.SSLError) else error.strerror or str(error)
        raise StartError(NOT_STARTED, f"--office-ca {network.ca_file}: {fault}", RUN_HELP) from None
