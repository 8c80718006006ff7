"""What a device does at an office from its first question on, with crypto of its own; the same for every device."""

import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fob_office.devices.service import add_device
from fob_office.issuer.service import issuer_public_key
from fob_office.office import Office
from fob_office.orders.service import create_order
from fob_office.servers.service import newest_keys
from fob_protocol.office.envelope import Service
from support.office_client import ReferenceDevice
from support.office_device import OfficeDevice
from support.office_fleet import SERVER

# What each question to a service is about, in their order; contents may have several chunks.
STEPS: Final = {
    Service.DIRECTORY: ("directory",),
    Service.CONFIGURATION: ("challenge", "configuration"),
    Service.CONTENT: ("content",),
    Service.REPORT: ("report",),
    Service.REGISTRATION: ("template", "registration"),
    Service.SESSION: ("session", "proof", "message"),
}

# Seconds for one answer.
PATIENCE: Final = 30

# The step, the service and the sealed question; its sealed answer.
Carry = Callable[[str, Service, bytes], bytes]


def _now() -> int:
    return int(time.time())


class Line:
    """A connection to an office that stays open. A client of the standard library: a fifth of another one's work."""

    def __init__(self, url: str, ca_file: Path) -> None:
        split = urlsplit(url)
        trusted = ssl.create_default_context(cafile=ca_file)
        self._connection = HTTPSConnection(split.hostname or "", split.port, timeout=PATIENCE, context=trusted)
        self._connection.connect()

    def post(self, service: Service, sealed: bytes) -> tuple[int, bytes]:
        """Status and body. Raises OSError, HTTPException."""
        self._connection.request("POST", f"/v1/{service}", sealed)
        response = self._connection.getresponse()
        return response.status, response.read()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@dataclass(frozen=True)
class Factory:
    """Makes devices that an office knows."""

    office: Office
    option: str

    def make(self, serial: str) -> "Life":
        """With a record, and with an order of the option."""
        with self.office.database.read() as session:
            issuer, certificate = issuer_public_key(session), newest_keys(session, "configuration").certificate
        life = Life(serial, issuer, certificate)
        add_device(self.office, life.record, "operator")
        create_order(self.office, serial, [self.option], "operator")
        return life


class Life:
    """Of one device; `live` once."""

    def __init__(self, serial: str, issuer: bytes, certificate: bytes) -> None:
        self.serial = serial
        self._carry: Carry | None = None
        self._asked: Counter[Service] = Counter()
        self._configured = OfficeDevice(serial, self._ask, issuer, certificate, _now)
        self._registered = ReferenceDevice(issuer, certificate, self._ask, _now, seed=int.from_bytes(serial.encode()))
        self._registered.system_key = self._configured.system_key

    @property
    def record(self) -> bytes:
        """Of its factory."""
        return self._configured.sealed_record()

    def live(self, carry: Carry) -> None:
        """Directory; configuration, all contents, report; registration; a session, and a message in it.

        Raises RefusedError, OfficeError, and what `carry` raises.
        """
        self._carry = carry
        self._registered.learn_servers()
        self._configured.configure()
        form = self._registered.get_form(SERVER)
        self._registered.submit(self._registered.draft(form, {"name": f"Person of {self.serial}"}))
        self._registered.session().get_entitlements()

    def _ask(self, service: Service, sealed: bytes) -> bytes:
        assert self._carry is not None
        steps = STEPS[service]
        step = steps[min(self._asked[service], len(steps) - 1)]
        self._asked[service] += 1
        return self._carry(step, service, sealed)
