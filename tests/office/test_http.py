"""Questions over real HTTPS: what is said openly, and the bounds of all that a peer sends."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy.exc import OperationalError

from fob_office.centre.seen import see_centre
from fob_office.centre.supervising.status import ProcessStatus, Status, write_status
from fob_office.http import connection, limits
from fob_office.http.limits import ADDRESSES_LIMIT, OPERATOR_LIMIT, Rates
from fob_office.http.problems import LaterError
from fob_office.issuer.key_file import forget_issuer_key, load_issuer_key
from fob_office.issuer.service import Issuing
from fob_office.role import Body, Handler, Role
from fob_office.secrets.private_file import write_new
from fob_office.settings import LimitSettings
from fob_office.tls import CA_FILE
from fob_protocol.office.certificate import Usage
from fob_protocol.office.directory import ListServers, Servers
from fob_protocol.office.envelope import Service
from fob_protocol.office.limits import QUESTION_LIMIT
from fob_protocol.office.message import read
from support.office import OfficeScene, office_scene
from support.office_http import HttpOffice, problem, served
from support.office_shop import ordered_device, release
from support.seen_centre import seen_centre

PATH = "/v1/directory"


@pytest.fixture
def office(sqlite_scene: OfficeScene) -> Iterator[HttpOffice]:
    with served(sqlite_scene) as running:
        yield running


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpOffice]:
    """One for all tests that leave nothing behind."""
    state = tmp_path_factory.mktemp("unchanged")
    with office_scene(state, limits=LimitSettings(rate=0)) as scene, served(scene) as running:
        yield running


def with_handler(handler: Handler) -> list[Role]:
    return [Role("test", {Service.DIRECTORY: Usage.CONFIGURATION}, lambda _: {Service.DIRECTORY: handler})]


def question(office: HttpOffice) -> bytes:
    return office.scene.question(Service.DIRECTORY, "configuration", ListServers()).sealed


def connect(office: HttpOffice) -> ssl.SSLSocket:
    trusted = ssl.create_default_context(cafile=office.scene.office.settings.state / CA_FILE)
    plain = socket.create_connection(("127.0.0.1", office.port), timeout=20)
    return trusted.wrap_socket(plain, server_hostname="localhost")


def test_a_question_is_answered(scene: OfficeScene) -> None:
    with served(scene) as office:
        answer = office.ask(Service.DIRECTORY, "configuration", ListServers())
        assert len(read(Servers, answer.body).certificates) == 4
        response = office.post(PATH, question(office))
        assert response.headers["content-type"] == 'application/cose; cose-type="cose-encrypt0"'


def test_what_does_not_open_is_malformed(unchanged: HttpOffice) -> None:
    damaged = bytearray(question(unchanged))
    damaged[-1] ^= 1
    for octets in (b"", b"\xd0", bytes(QUESTION_LIMIT), bytes(damaged)):
        assert problem(unchanged.post(PATH, octets)) == (400, "malformed")


def test_what_is_too_large_is_not_read(unchanged: HttpOffice) -> None:
    assert problem(unchanged.post(PATH, bytes(QUESTION_LIMIT + 1))) == (413, "too-large")


def test_what_grows_too_large_without_saying_so_is_cut_off(unchanged: HttpOffice) -> None:
    with connect(unchanged) as line:
        line.sendall(b"POST /v1/directory HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        line.sendall(b"4000\r\n" + bytes(0x4000) + b"\r\n1\r\n\0\r\n")
        assert line.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_an_operator_may_send_more_but_not_without_end(unchanged: HttpOffice) -> None:
    response = unchanged.post("/v1/operator/servers", bytes(OPERATOR_LIMIT + 1))
    assert problem(response) == (413, "too-large")
    assert problem(unchanged.post("/v1/operator/servers", bytes(QUESTION_LIMIT + 1))) == (405, "wrong-method")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/nothing", 404),
        ("GET", PATH, 405),
        ("PUT", PATH, 405),
        ("GET", "/", 404),
        ("GET", "/docs", 404),
        ("POST", "/healthz", 405),
    ],
)
def test_what_is_not_there_is_a_problem_too(unchanged: HttpOffice, method: str, path: str, status: int) -> None:
    response = unchanged.client.request(method, path)
    assert problem(response)[0] == status
    assert status != 405 or response.headers["allow"] == ("GET" if path == "/healthz" else "POST")


def test_a_body_that_does_not_come_ends(unchanged: HttpOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_TIME", 0.05)
    with connect(unchanged) as line:
        line.sendall(b"POST /v1/directory HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc")
        assert line.recv(4096).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("begun", [b"", b"POST /v1/dir"])
def test_who_says_nothing_is_not_waited_for(
    unchanged: HttpOffice, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connection, "HEAD_TIME", 0.05)
    with connect(unchanged) as line:
        line.sendall(begun)
        assert ended(line)


def test_who_asked_once_and_then_trickles_is_not_waited_for(
    unchanged: HttpOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(unchanged) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        said = b""
        while not said.endswith(b"}"):
            said += line.recv(4096)
        monkeypatch.setattr(connection, "HEAD_TIME", 0.05)
        line.sendall(b"GET /hea")
        assert ended(line)


def ended(line: ssl.SSLSocket) -> bool:
    try:
        return line.recv(4096) == b""
    except (ConnectionResetError, ssl.SSLEOFError):
        return True


def test_more_than_can_wait_are_told_to_come_later(state: Path) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def wait(_: Body) -> bytes:
        entered.set()
        assert go_on.wait(30)
        return b"done"

    small = LimitSettings(in_hand=1, waiting=0)
    with office_scene(state, limits=small) as scene, served(scene, with_handler(wait)) as office:
        first, second = question(office), question(office)
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(office.post, PATH, first)
            assert entered.wait(30)
            refused = office.post(PATH, second)
            assert (problem(refused), refused.headers["retry-after"]) == ((503, "unavailable"), "2")
            go_on.set()
            assert slow.result(30).status_code == 200
        assert office.post(PATH, second).status_code == 200


def test_one_address_does_not_take_it_all(state: Path) -> None:
    with office_scene(state, limits=LimitSettings(rate=0.5, burst=2)) as scene, served(scene) as office:
        sealed = question(office)
        assert [office.post(PATH, sealed).status_code for _ in range(2)] == [200, 200]
        refused = office.post(PATH, sealed)
        assert (problem(refused), refused.headers["retry-after"]) == ((429, "too-many-requests"), "2")
        scene.clock.pass_by(2)
        assert office.post(PATH, sealed).status_code == 200
        assert office.get("/healthz").status_code == 200


def test_addresses_are_forgotten_oldest_first() -> None:
    rates = Rates(LimitSettings(rate=1, burst=1), lambda: 0.0)
    for number in range(ADDRESSES_LIMIT):
        rates.take(str(number))
    with pytest.raises(LaterError):
        rates.take("0")
    rates.take("another")
    # Number 0 was seen again just before; number 1 was forgotten, and begins anew.
    rates.take("1")
    with pytest.raises(LaterError):
        rates.take("0")


def busy(_: Body) -> bytes:
    raise OperationalError("SELECT secret", {"secret": "value"}, Exception("database is locked"))


def broken(_: Body) -> bytes:
    raise ZeroDivisionError("secret")


@pytest.mark.parametrize("handler", [busy, broken])
def test_what_goes_wrong_in_the_office_may_be_asked_again(
    state: Path, handler: Callable[[Body], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    with office_scene(state) as scene, served(scene, with_handler(handler)) as office:
        refused = office.post(PATH, question(office))
    assert (problem(refused), refused.headers["retry-after"]) == ((503, "unavailable"), "2")
    assert "secret" not in refused.text


def test_it_is_well(unchanged: HttpOffice) -> None:
    assert unchanged.get("/healthz").json() == {"status": "ok", "warnings": []}


def test_it_says_what_ends_soon(office: HttpOffice) -> None:
    office.scene.clock.pass_by(86_400 * 371)
    assert office.get("/healthz").json()["warnings"] == [
        "the revocation list ends in 29 days: fob-office issuer renew-list"
    ]
    office.scene.issuing().renew_list()
    assert office.get("/healthz").json()["warnings"] == []


def test_it_says_that_ordered_releases_end_and_not_which(office: HttpOffice) -> None:
    release(office.scene, "rates", days=20)
    ordered_device(office.scene, "rates")
    assert office.get("/healthz").json()["warnings"] == [
        "ordered components whose release ends, or was revoked: 1: fob-office component ends"
    ]


@pytest.mark.clause("M3")
def test_it_says_that_a_box_was_tampered_with_and_not_which(office: HttpOffice) -> None:
    command = "fob-office centre status"
    state = office.scene.office.settings.state
    with seen_centre(state, office.scene.clock.time) as folder:
        warned = office.get("/healthz").json()
        assert warned["warnings"] == [f"a box of the data centre was tampered with: {command}"]
        write_status(folder, Status(100, False, 5, 0, (ProcessStatus("steel-1", "steel", "tampered"),)))
        (warning,) = office.get("/healthz").json()["warnings"]
    assert warning == f"a box of the data centre was tampered with, and no other does what it did: {command}"
    assert warned["status"] == "ok"


@pytest.mark.clause("M22", "M34")
def test_it_says_that_a_box_was_put_back_or_no_view_can_be_made_and_not_which(office: HttpOffice) -> None:
    state = office.scene.office.settings.state
    put_back = ProcessStatus("meter-1", "meter", "put-back")
    with seen_centre(state, office.scene.clock.time) as folder:
        write_status(folder, Status(100, True, 5, 0, (put_back,), "older-view: 10 views, and not 11"))
        assert office.get("/healthz").json()["warnings"] == [
            "a box of the data centre was put back to an older folder: fob-office centre status",
            "no meters of the data centre go to another box, should theirs end: fob-office centre status",
        ]
        seen = see_centre(state, folder)
    assert seen is not None
    assert seen.troubles == [
        "meter-1 was put back to an older folder: fob-office centre box remove meter-1, and fob-office centre box add "
        "meter",
        "no slot goes to another meter box, as no view can be made (older-view: 10 views, and not 11): end the data "
        "centre, put back the newest folder of manufacturing that there is, and fob-office run",
    ]


@pytest.mark.clause("R27")
def test_a_list_is_renewed_by_a_key_that_is_fetched_for_it(office: HttpOffice, tmp_path: Path) -> None:
    """The issuer's key was taken away: the warning says that it is wanted."""
    scene, pem = office.scene, tmp_path / "issuer.pem"
    state = scene.office.settings.state
    key = load_issuer_key(state, scene.office.sealer, None)
    write_new(pem, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    forget_issuer_key(state)
    scene.clock.pass_by(86_400 * 371)
    assert office.get("/healthz").json()["warnings"] == [
        "the revocation list ends in 29 days: fob-office issuer renew-list --issuer-key FILE"
    ]
    Issuing(scene.office, load_issuer_key(state, scene.office.sealer, pem)).renew_list()
    assert office.get("/healthz").json()["warnings"] == []


def test_it_is_not_well_without_its_database(office: HttpOffice) -> None:
    folder = office.scene.office.settings.state
    for file in folder.glob("office.db*"):
        file.rename(file.with_name(f"gone-{file.name}"))
    office.scene.office.database.engine.dispose()
    (folder / "office.db").mkdir()
    assert problem(office.get("/healthz")) == (503, "unavailable")
    assert problem(office.post(PATH, b"\xd0")) == (400, "malformed")
