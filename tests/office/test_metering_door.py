"""POST /v1/metering: there where a data centre is, and the office carries what is said without opening it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from fob_office.centre.bus.directory import Entry, write_entries
from fob_office.centre.bus.passes import Kind
from fob_office.centre.communication.frames import Answered, Asked, Status
from fob_office.centre.communication.server import Doorway, Forwarding
from fob_office.centre.places import CentreSettings, centre_folder, office_socket, save_centre, socket_address
from fob_office.http.app import OPENAPI, create_app
from fob_protocol.office.limits import QUESTION_LIMIT
from support.office import OfficeScene, office_scene
from support.office_http import problem


class Told(Forwarding):
    """Answers `noise` with what noise is answered."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    async def ask(self, asked: Asked) -> Answered:
        self.asked.append(asked.question)
        status = Status.MALFORMED if asked.question == b"noise" else Status.OK
        return Answered(asked.number, status, b"answer to " + asked.question)


@pytest.fixture
def state() -> Iterator[Path]:
    """Short: it is part of the path of a socket, which has 107 octets."""
    with TemporaryDirectory(prefix="fob-") as folder:
        yield Path(folder)


def make_centre(state: Path) -> Path:
    """As much of one as a web worker looks at; where the communication server listens."""
    folder = centre_folder(state)
    folder.mkdir()
    address = socket_address(folder, "communication-1")
    write_entries(folder, [Entry("communication-1", Kind.COMMUNICATION, address, b"")])
    save_centre(folder, CentreSettings())
    found = office_socket(address)
    assert found is not None
    return found


@asynccontextmanager
async def visited(scene: OfficeScene) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(scene.office)
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://office") as it:
        yield it


async def test_an_office_without_a_data_centre_has_no_such_door(state: Path) -> None:
    with office_scene(state) as scene:
        async with visited(scene) as client:
            assert problem(await client.post("/v1/metering", content=b"question")) == (404, "not-found")
            assert "/v1/metering" not in (await client.get(OPENAPI)).json()["paths"]


@pytest.mark.clause("M2")
async def test_what_is_asked_goes_on_as_it_came_and_so_does_the_answer(state: Path) -> None:
    told = Told()
    doorway = Doorway(told)
    socket = make_centre(state)
    with office_scene(state) as scene:
        async with visited(scene) as client:
            away = await client.post("/v1/metering", content=b"question")
            assert (problem(away), away.headers["Retry-After"]) == ((503, "unavailable"), "2")
            server = await doorway.listen(socket)
            answer = await client.post("/v1/metering", content=b"question")
            assert (answer.status_code, answer.content) == (200, b"answer to question")
            assert problem(await client.post("/v1/metering", content=b"noise")) == (400, "malformed")
            large = await client.post("/v1/metering", content=bytes(QUESTION_LIMIT + 1))
            assert problem(large) == (413, "too-large")
            assert told.asked == [b"question", b"noise"]
            described = (await client.get(OPENAPI)).json()["paths"]["/v1/metering"]["post"]
            assert described["operationId"] == "ask_metering"
            assert set(described["responses"]) == {"200", "400", "413", "429", "503"}
            server.close()
            await doorway.close()
            assert problem(await client.post("/v1/metering", content=b"question")) == (503, "unavailable")
