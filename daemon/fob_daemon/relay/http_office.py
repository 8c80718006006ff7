"""The office over HTTP: a question posted, its answer read within bounds. Imported when the first question comes."""

import asyncio
import os
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp

from fob_daemon.relay.address import service_url
from fob_daemon.relay.limits import ANSWER_TIME, CONNECT_TIME, CONNECTIONS, HEADER_LIMIT, KEEP_TIME, WAIT_LIMIT
from fob_daemon.relay.outcome import Outcome
from fob_protocol.office.limits import ANSWER_LIMIT
from fob_protocol.relay import MEDIA_TYPE, RelayStatus

_HEADERS: Final = {"Content-Type": MEDIA_TYPE, "Accept": "application/cose", "User-Agent": "fobd"}
_ANSWER_TYPE: Final = "application/cose"
# What is sealed does not get smaller, and what is unpacked may get large.
_NOT_SENT: Final = ("Accept-Encoding",)


class TooLongError(Exception):
    """An answer over ANSWER_LIMIT."""


class HttpOffice:
    """Implements Office for one address. Made inside the running loop."""

    def __init__(self, url: str, context: ssl.SSLContext, answer_time: float = ANSWER_TIME) -> None:
        self._url = url
        self._answer_time = answer_time
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=CONNECTIONS, keepalive_timeout=KEEP_TIME),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            skip_auto_headers=_NOT_SENT,
            # The deadline is our own; aiohttp's is for the knock.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIME),
            # Where a question goes is the configuration's to say, not the environment's.
            trust_env=False,
            auto_decompress=False,
            max_line_size=HEADER_LIMIT,
            max_field_size=HEADER_LIMIT,
        )

    async def post(self, service: str, question: bytes) -> Outcome:
        """Never raises but when cancelled."""
        try:
            async with asyncio.timeout(self._answer_time):
                return await self._ask(service, question)
        except TimeoutError:
            return _unreachable(f"no answer in {self._answer_time:g} s")
        except TooLongError:
            return Outcome(RelayStatus.TOO_LONG, why=f"its answer has more than {ANSWER_LIMIT} octets", http=200)
        except aiohttp.ClientError as error:
            return _unreachable(_words(error))

    async def close(self) -> None:
        """Hang up."""
        await self._session.close()

    async def _ask(self, service: str, question: bytes) -> Outcome:
        where = service_url(self._url, service)
        async with self._session.post(where, data=question, allow_redirects=False) as response:
            if response.status != HTTPStatus.OK:
                return _not_answered(response.status, f"it answered {_status(response.status)}", response.headers)
            if response.content_type != _ANSWER_TYPE or "Content-Encoding" in response.headers:
                return _not_answered(response.status, "what answers there is no office", {})
            return Outcome(RelayStatus.ANSWERED, await _body(response), http=response.status)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Which certificates are good: those of `ca_file` alone, or the system's. Raises OSError, ssl.SSLError too."""
    return ssl.create_default_context(cafile=ca_file)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Raises TooLongError, before it is read where the head says so."""
    body = bytearray()
    if (response.content_length or 0) > ANSWER_LIMIT:
        response.close()
        raise TooLongError
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_LIMIT:
            # Whoever sends without an end is not listened to until there is one.
            response.close()
            raise TooLongError
    return bytes(body)


def _unreachable(why: str) -> Outcome:
    return Outcome(RelayStatus.UNREACHABLE, why=why)


def _not_answered(status: int, why: str, headers: Mapping[str, str]) -> Outcome:
    return Outcome(RelayStatus.NOT_ANSWERED, seconds=_seconds(headers.get("Retry-After", "")), why=why, http=status)


def _seconds(retry_after: str) -> int | None:
    """RFC 9110, section 10.2.3, as seconds; a date is none of an office's."""
    digits = retry_after if retry_after.isascii() and retry_after.isdecimal() else ""
    # More digits than the limit has are more seconds.
    return min(int(digits[:9]), WAIT_LIMIT) if digits else None


def _status(status: int) -> str:
    """`503 Service Unavailable`, by our own words for it."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _words(error: aiohttp.ClientError) -> str:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            fault = error.certificate_error
            return f"its certificate is not good: {getattr(fault, 'verify_message', '') or type(fault).__name__}"
        case aiohttp.ClientConnectorSSLError() | aiohttp.ClientSSLError():
            return "it speaks no TLS that this computer does"
        case aiohttp.ClientConnectorDNSError():
            return "its name is not known"
        case aiohttp.ClientConnectorError():
            number = error.os_error.errno
            return os.strerror(number) if number else "it cannot be connected to"
        case aiohttp.ClientResponseError():
            return "what answers there speaks no HTTP"
        case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError():
            return "it hung up"
    return f"it cannot be asked ({type(error).__name__})"
