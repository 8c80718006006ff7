"""An office of a test's own over real HTTPS, in a thread of the test's process."""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn

from fob_office.http.app import create_app
from fob_office.http.serving import options_of
from fob_office.listening import Place, listen
from fob_office.operators.service import make_token
from fob_office.role import Role
from fob_office.tls import CA_FILE, LOCAL_NAMES, make_certificate
from fob_protocol.office.certificate import Certificate
from fob_protocol.office.envelope import Answer, Service
from fob_protocol.office.message import Message
from support.office import OfficeScene


@dataclass
class HttpOffice:
    """Somebody who asks over HTTPS, as a PC does for its device. `answer` is what HTTP says."""

    scene: OfficeScene
    port: int
    client: httpx.Client = field(repr=False)

    def post(self, path: str, octets: bytes, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """What the office says to these octets."""
        return self.client.post(path, content=octets, headers=dict(headers or {}))

    def ask(self, service: Service, server: str | Certificate, body: Message | bytes) -> Answer:
        """As `OfficeScene.ask`, over HTTPS. Raises RefusedError, OfficeError; anything but 200 fails the test."""
        asked = self.scene.question(service, server, body)
        response = self.post(f"/v1/{service}", asked.sealed)
        assert response.status_code == 200, response.text
        return asked.open(response.content)

    def token(self, *, may_change: bool = True) -> dict[str, str]:
        """The header of an operator."""
        name = "test" if may_change else "test, read only"
        return {"Authorization": f"Bearer {make_token(self.scene.office, name, may_change=may_change)}"}

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """What the office says to a GET."""
        return self.client.get(path, headers=dict(headers or {}))


def problem(response: httpx.Response) -> tuple[int, str]:
    """Status and code of an answer that has to be a problem (RFC 9457)."""
    assert response.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = json.loads(response.content)
    assert said["status"] == response.status_code
    assert said.keys() <= {"title", "status", "code", "detail", "help"}
    return response.status_code, said["code"]


@contextmanager
def served(scene: OfficeScene, roles: Sequence[Role] | None = None) -> Iterator[HttpOffice]:
    """While it listens at a free port of this machine. The office is closed at the end."""
    office = scene.office
    make_certificate(office.settings.state, LOCAL_NAMES, scene.clock.time - 86_400 * 365)
    server = uvicorn.Server(uvicorn.Config(create_app(office, roles), **options_of(office.settings, has_tls=True)))
    with listen(Place("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="office")
        thread.start()
        trusted = ssl.create_default_context(cafile=office.settings.state / CA_FILE)
        try:
            with httpx.Client(base_url=f"https://localhost:{port}", verify=trusted, timeout=30) as client:
                yield HttpOffice(scene, port, client)
        finally:
            server.should_exit = True
            thread.join(30)
