"""The device's own network: the same octets, posted by itself to an office that its owner chose."""

import ssl
from pathlib import Path
from typing import Final

import aiohttp

from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.progress import Told
from fob_protocol.office.limits import ANSWER_LIMIT
from fob_protocol.office.retries import SECONDS_LIMIT
from fob_protocol.relay import MEDIA_TYPE

# Seconds for one question and its answer, and for a connection.
TIME: Final = 30.0
CONNECT_TIME: Final = 10.0
_ANSWERED: Final = 200
_TYPE: Final = "application/cose"


class Direct:
    """A Carrier. `ca_file`: who vouches for the office, None: whoever this system trusts. Raises OSError."""

    def __init__(self, url: str, ca_file: Path | None) -> None:
        self._url = url.rstrip("/")
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._client: aiohttp.ClientSession | None = None

    async def carry(self, service: str, question: bytes, told: Told) -> bytes:
        """One request; no redirect is followed."""
        if self._client is None:
            timeout = aiohttp.ClientTimeout(TIME, connect=CONNECT_TIME)
            self._client = aiohttp.ClientSession(timeout=timeout)
        try:
            async with self._client.post(
                f"{self._url}/v1/{service}", data=question, headers={"Content-Type": MEDIA_TYPE},
                ssl=self._tls, allow_redirects=False,
            ) as response:  # fmt: skip
                return await _read(response)
        except (aiohttp.ClientError, TimeoutError):
            raise NotCarriedError(NotCarried.UNREACHABLE) from None

    def judged(self, *, is_answer: bool) -> None:
        """There is nobody else to ask."""

    def rest(self) -> None:
        """Nobody waits."""

    async def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.close()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Raises NotCarriedError."""
    if response.status != _ANSWERED or response.content_type != _TYPE:
        raise NotCarriedError(NotCarried.NOT_ANSWERED, _retry_after(response.headers.get("Retry-After", "")))
    answer = bytearray()
    async for piece in response.content.iter_any():
        answer += piece
        if len(answer) > ANSWER_LIMIT:
            raise NotCarriedError(NotCarried.TOO_LONG)
    return bytes(answer)


def _retry_after(text: str) -> int | None:
    digits = text.strip()
    return min(int(digits), SECONDS_LIMIT) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
