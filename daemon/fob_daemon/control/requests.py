"""Method, target and body in; one of the requests below, or the reason why not. No I/O in here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote

from fob_daemon.control import limits
from fob_daemon.control.copy_requests import COPY_ROUTES, CopyRequest, OwnCopyRequest
from fob_daemon.control.fields import Fields, bad_request
from fob_daemon.control.key_type import KeyType
from fob_daemon.control.meter_requests import METER_ROUTES, FrankJob, MeterRequest
from fob_daemon.control.office_requests import OFFICE_ROUTES, Configure, OfficeRequest
from fob_daemon.control.route import Route
from fob_protocol.history.limits import HASH_SIZE, HISTORY_NONCE, KEY_SIZE
from fob_protocol.history.verify import Anchor

PREFIX: Final = "/v1/"
# In place of a grant's number; 0 is the same.
ALL_GRANTS: Final = "all"


@dataclass(frozen=True, slots=True)
class GetStatus:
    """GET status"""


@dataclass(frozen=True, slots=True)
class GetDevices:
    """GET devices"""


@dataclass(frozen=True, slots=True)
class Scan:
    """GET scan"""

    seconds: int


@dataclass(frozen=True, slots=True)
class Connect:
    """POST devices/{name}/connect"""

    device: str


@dataclass(frozen=True, slots=True)
class Unpair:
    """DELETE devices/{name}"""

    device: str


@dataclass(frozen=True, slots=True)
class Pair:
    """POST pairings; answered by a stream."""

    url: str
    name: str | None


@dataclass(frozen=True, slots=True)
class CompareAnswer:
    """POST pairings/{id}: the person has compared the codes."""

    pairing: str
    equal: bool


@dataclass(frozen=True, slots=True)
class ListKeys:
    """GET keys; of every device when `device` is None."""

    device: str | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """POST keys"""

    device: str
    type: KeyType
    label: str
    id: bytes | None
    pin: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ShowKey:
    """GET keys/{device}/{id}"""

    device: str
    id: bytes


@dataclass(frozen=True, slots=True)
class DeleteKey:
    """DELETE keys/{device}/{id}"""

    device: str
    id: bytes
    pin: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unlock:
    """POST unlock"""

    device: str
    pin: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lock:
    """POST lock; every device when `device` is None."""

    device: str | None


@dataclass(frozen=True, slots=True)
class GetLog:
    """GET log"""

    limit: int
    since: int


@dataclass(frozen=True, slots=True)
class Follow:
    """GET events; answered by a stream."""


@dataclass(frozen=True, slots=True)
class GetMetrics:
    """GET metrics; answered in Prometheus' text format."""


@dataclass(frozen=True, slots=True)
class GetHistory:
    """GET devices/{device}/history: records of the device's own log."""

    device: str
    sequence: int


@dataclass(frozen=True, slots=True)
class GetHistoryHead:
    """GET devices/{device}/history/head: where it ends, signed for the nonce."""

    device: str
    nonce: bytes


@dataclass(frozen=True, slots=True)
class KeepHistory:
    """POST devices/{device}/history/seen: it was found good so far."""

    device: str
    seen: Anchor


@dataclass(frozen=True, slots=True)
class ListGrants:
    """GET grants; of every device when `device` is None."""

    device: str | None


@dataclass(frozen=True, slots=True)
class RevokeGrants:
    """DELETE grants/{device}/{number}; all of them when `number` is None."""

    device: str
    number: int | None


HistoryRequest = GetHistory | GetHistoryHead | KeepHistory
DeviceRequest = (
    ListKeys | NewKey | ShowKey | DeleteKey | HistoryRequest | ListGrants | RevokeGrants | OfficeRequest | CopyRequest
)  # fmt: skip
PlainRequest = (
    GetStatus | GetDevices | Scan | Connect | Unpair | CompareAnswer | Unlock | Lock | GetLog
    | OwnCopyRequest | MeterRequest | DeviceRequest
)  # fmt: skip
StreamRequest = Pair | Follow | Configure | FrankJob
ControlRequest = PlainRequest | StreamRequest | GetMetrics


def _device(path: Mapping[str, str]) -> str:
    # A field's rules hold for a name in the path too.
    return Fields((("device", path["device"]),)).name("device", limits.MAX_NAME)


def _key_id(path: Mapping[str, str]) -> bytes:
    return Fields((("id", path["id"]),)).octets("id", limits.MAX_KEY_ID)


def _pairing_id(path: Mapping[str, str]) -> str:
    return Fields((("id", path["id"]),)).name("id", limits.MAX_NAME)


def _new_key(_: Mapping[str, str], body: Fields) -> NewKey:
    return NewKey(
        body.name("device", limits.MAX_NAME),
        body.choice("type", KeyType),
        body.label("label", limits.MAX_LABEL),
        body.optional_octets("id", limits.MAX_KEY_ID),
        body.optional_secret("pin", limits.MAX_PIN),
    )


def _log(_: Mapping[str, str], query: Fields) -> GetLog:
    return GetLog(
        query.number("limit", limits.DEFAULT_LOG, limits.MAX_LOG), query.number("since", 0, limits.MAX_SEQUENCE)
    )


def _revoke_grants(path: Mapping[str, str], _: Fields) -> RevokeGrants:
    text = path["number"]
    number = 0 if text == ALL_GRANTS else Fields((("number", text),)).number("number", 0, limits.MAX_SEQUENCE)
    return RevokeGrants(_device(path), number or None)


def _history_head(path: Mapping[str, str], query: Fields) -> GetHistoryHead:
    nonce = query.octets("nonce", HISTORY_NONCE)
    if len(nonce) != HISTORY_NONCE:
        raise bad_request(f"'nonce' has to be of {HISTORY_NONCE} octets")
    return GetHistoryHead(_device(path), nonce)


def _keep_history(path: Mapping[str, str], body: Fields) -> KeepHistory:
    key, length, hash_ = (
        body.octets("key", KEY_SIZE),
        body.whole("length", limits.MAX_SEQUENCE),
        body.octets("hash", HASH_SIZE),
    )
    try:
        return KeepHistory(_device(path), Anchor(key, length, hash_))
    except ValueError:
        raise bad_request("no history has such a key, length and hash") from None


ROUTES: Final[tuple[Route[ControlRequest], ...]] = (
    Route("GET", "status", lambda path, query: GetStatus()),
    Route("GET", "devices", lambda path, query: GetDevices()),
    Route("GET", "scan", lambda path, query: Scan(query.number("seconds", limits.DEFAULT_SCAN, limits.MAX_SCAN))),
    Route("POST", "devices/{device}/connect", lambda path, body: Connect(_device(path))),
    Route("DELETE", "devices/{device}", lambda path, body: Unpair(_device(path))),
    Route(
        "POST",
        "pairings",
        lambda path, body: Pair(body.name("url", limits.MAX_URL), body.optional_name("name", limits.MAX_NAME)),
    ),
    Route("POST", "pairings/{id}", lambda path, body: CompareAnswer(_pairing_id(path), body.boolean("equal"))),
    Route("GET", "keys", lambda path, query: ListKeys(query.optional_name("device", limits.MAX_NAME))),
    Route("POST", "keys", _new_key),
    Route("GET", "keys/{device}/{id}", lambda path, query: ShowKey(_device(path), _key_id(path))),
    Route(
        "DELETE",
        "keys/{device}/{id}",
        lambda path, body: DeleteKey(_device(path), _key_id(path), body.optional_secret("pin", limits.MAX_PIN)),
    ),
    Route(
        "POST",
        "unlock",
        lambda path, body: Unlock(body.name("device", limits.MAX_NAME), body.optional_secret("pin", limits.MAX_PIN)),
    ),
    Route("POST", "lock", lambda path, body: Lock(body.optional_name("device", limits.MAX_NAME))),
    Route("GET", "log", _log),
    Route(
        "GET",
        "devices/{device}/history",
        lambda path, query: GetHistory(_device(path), query.number("from", 1, limits.MAX_SEQUENCE)),
    ),
    Route("GET", "devices/{device}/history/head", _history_head),
    Route("POST", "devices/{device}/history/seen", _keep_history),
    Route("GET", "grants", lambda path, query: ListGrants(query.optional_name("device", limits.MAX_NAME))),
    Route("DELETE", "grants/{device}/{number}", _revoke_grants),
    *OFFICE_ROUTES,
    *COPY_ROUTES,
    *METER_ROUTES,
    Route("GET", "events", lambda path, query: Follow()),
    Route("GET", "metrics", lambda path, query: GetMetrics()),
)


def parse_request(method: str, target: str, body: bytes) -> ControlRequest:
    """The request that method, target (path and query) and body spell. Raises ControlError: 400, 404, 405 or 413."""
    if len(body) > limits.MAX_BODY:
        raise bad_request(f"a body over {limits.MAX_BODY} octets", 413)
    path, _, query = target.partition("?")
    route, found = _route(method, path)
    fields = _query_fields(query) if method == "GET" else Fields.from_body(body)
    if method == "GET" and body:
        raise bad_request("a GET request has no body")
    if method != "GET" and query:
        raise bad_request("only a GET request has a query")
    request = route.build(found, fields)
    fields.end()
    return request


def _route(method: str, path: str) -> tuple[Route[ControlRequest], Mapping[str, str]]:
    segments = [unquote(segment) for segment in path.removeprefix(PREFIX).split("/")]
    matches = [(route, found) for route in ROUTES if (found := route.match(segments)) is not None]
    if not path.startswith(PREFIX) or not matches:
        raise bad_request("there is nothing at this path", 404)
    for route, found in matches:
        if route.method == method:
            return route, found
    raise bad_request(f"this path takes {' and '.join(route.method for route, _ in matches)}", 405)


def _query_fields(query: str) -> Fields:
    try:
        return Fields(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=8))
    except ValueError:
        raise bad_request("the query is not made of name=value") from None
