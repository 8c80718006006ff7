"""A server that lets in only software that an office has validated. It asks nobody: the office's public key is enough.

    python examples/relying_server.py --server-key HEX --audience work.example --program calculator=1.3.0

GET /nonce gives a nonce. POST /work wants it back in `Fob-Nonce: <base64url>`, and in `Authorization: Fob <base64url>`
the presentation that the program has made for this audience and this nonce (docs/integrity-protocol.md, section 4).
"""

import argparse
import base64
import ipaddress
import secrets
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fob_protocol.integrity.relying import NotAdmittedError, RelyingParty
from fob_protocol.office.message import Version

# For how many seconds a nonce is good, and how many are out at a time: who asks for many fills no memory.
NONCE_TIME: Final = 60
NONCES_LIMIT: Final = 10_000
# Of them one address has so many: who asks for more keeps nobody out but itself.
ADDRESS_LIMIT: Final = 50
# Of IPv6 a network of this length is one address: its owner has all of it.
_IPV6_PREFIX: Final = 64

Clock = Callable[[], float]


class Nonces:
    """Each is good once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # When each ends, the first one first, and who asked for it.
        self._given: dict[bytes, tuple[float, str]] = {}
        self._held: Counter[str] = Counter()

    def give(self, address: str) -> bytes | None:
        """A new one; None when too many are out, of this address or of all."""
        self._forget()
        holder = _network(address)
        if len(self._given) >= NONCES_LIMIT or self._held[holder] >= ADDRESS_LIMIT:
            return None
        nonce = secrets.token_bytes(32)
        self._given[nonce] = (self._clock() + NONCE_TIME, holder)
        self._held[holder] += 1
        return nonce

    def take(self, nonce: bytes) -> bool:
        """Whether it was given, is not over, and comes for the first time."""
        self._forget()
        given = self._given.pop(nonce, None)
        if given is None:
            return False
        self._let_go(given[1])
        return True

    def _forget(self) -> None:
        while self._given:
            nonce, (end, holder) = next(iter(self._given.items()))
            if end > self._clock():
                return
            del self._given[nonce]
            self._let_go(holder)

    def _let_go(self, holder: str) -> None:
        self._held[holder] -= 1
        if not self._held[holder]:
            del self._held[holder]


def _network(address: str) -> str:
    try:
        told = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(told if told.version == 4 else ipaddress.ip_network((told, _IPV6_PREFIX), strict=False))


class RelyingServer:
    """Two addresses; `audience` is the name that presentations have to be made for."""

    def __init__(self, party: RelyingParty, audience: str, nonces: Nonces, clock: Clock = time.time) -> None:
        self._party = party
        self._audience = audience
        self._clock = clock
        self._nonces = nonces

    def app(self) -> web.Application:
        """To be run."""
        app = web.Application()
        app.add_routes([web.get("/nonce", self._give_nonce), web.post("/work", self._work)])
        return app

    async def _give_nonce(self, request: web.Request) -> web.Response:
        nonce = self._nonces.give(request.remote or "")
        if nonce is None:
            return _refusal(503, "too-many-nonces", "ask again in a minute", {"Retry-After": str(NONCE_TIME)})
        return web.json_response({"nonce": _encode(nonce), "audience": self._audience})

    async def _work(self, request: web.Request) -> web.Response:
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        try:
            presentation, nonce = _decode(credentials), _decode(request.headers.get("Fob-Nonce", ""))
        except ValueError:
            return _not_admitted("malformed", "presentation and nonce are base64url")
        if scheme.lower() != "fob" or not self._nonces.take(nonce):
            return _not_admitted("wrong-nonce", "show a presentation for a nonce of GET /nonce: each is good once")
        try:
            ticket = self._party.admit(presentation, self._audience, nonce, int(self._clock()))
        except NotAdmittedError as error:
            return _not_admitted(error.code, error.why)
        # Here the work would be done.
        return web.json_response({"program": ticket.program, "version": ticket.version, "validated": ticket.time})


def _not_admitted(code: str, why: str) -> web.Response:
    return _refusal(401, code, why, {"WWW-Authenticate": "Fob"})


def _refusal(status: int, code: str, why: str, headers: dict[str, str]) -> web.Response:
    problem = {"title": code, "detail": why, "status": status}
    return web.json_response(problem, status=status, headers=headers, content_type="application/problem+json")


def _encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def _decode(text: str) -> bytes:
    """Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _program(text: str) -> tuple[str, Version]:
    """`calculator=1.3.0`: a name and the least version."""
    name, _, version = text.partition("=")
    first, second, third = map(int, version.split("."))
    return name, (first, second, third)


def _key(text: str) -> bytes:
    """Raw, of 32 octets. Raises ValueError."""
    key = bytes.fromhex(text)
    Ed25519PublicKey.from_public_bytes(key)
    return key


def main() -> None:
    """Until it is interrupted."""
    parser = argparse.ArgumentParser(description="Let in only software that an office has validated.")
    parser.add_argument("--server-key", type=_key, required=True, help="of the validation server: 64 digits in hex")
    parser.add_argument("--audience", required=True, help="the name of this server")
    parser.add_argument("--program", type=_program, action="append", default=[], help="NAME=1.3.0, the least version")
    parser.add_argument("--greatest-age", type=int, default=3600, help="of a validation, in seconds (3600)")
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args()
    party = RelyingParty(options.server_key, options.greatest_age, dict(options.program))
    server = RelyingServer(party, options.audience, Nonces(time.time))
    web.run_app(server.app(), host="127.0.0.1", port=options.port)


if __name__ == "__main__":
    main()
