"""The office that is configured, or none. What speaks HTTP is loaded for the first question: it is heavy."""

import asyncio
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from fob_daemon.relay.outcome import Office, Outcome
from fob_protocol.relay import RelayStatus

if TYPE_CHECKING:
    from fob_daemon.relay.http_office import HttpOffice


class NoOffice:
    """Implements Office where none is configured."""

    async def post(self, service: str, question: bytes) -> Outcome:
        """Says so."""
        return Outcome(RelayStatus.NO_OFFICE, why="this computer has no office configured")

    async def close(self) -> None:
        """Nothing to do."""


class ConfiguredOffice:
    """Implements Office. `ca_file`: whose certificates are good there, None for the system's."""

    def __init__(self, url: str, ca_file: Path | None) -> None:
        self._url = url
        self._ca_file = ca_file
        self._http: HttpOffice | None = None
        self._opening = asyncio.Lock()

    async def post(self, service: str, question: bytes) -> Outcome:
        """Never raises but when cancelled."""
        try:
            office = await self._opened()
        except OSError as error:
            # Mended as soon as the file is; nothing is remembered of it.
            return Outcome(RelayStatus.UNREACHABLE, why=f"{self._ca_file}: {_fault_of_file(error)}")
        return await office.post(service, question)

    async def close(self) -> None:
        """Hang up."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _opened(self) -> "HttpOffice":
        """Raises OSError, ssl.SSLError with them."""
        async with self._opening:
            if self._http is None:
                # In a thread: signatures go on meanwhile.
                make, context = await asyncio.to_thread(_load, self._ca_file)
                self._http = make(self._url, context)
            return self._http


def office_of(url: str | None, ca_file: Path | None) -> Office:
    """As the configuration says."""
    return NoOffice() if url is None else ConfiguredOffice(url, ca_file)


def _load(ca_file: Path | None) -> "tuple[type[HttpOffice], ssl.SSLContext]":
    from fob_daemon.relay.http_office import HttpOffice, tls_context

    return HttpOffice, tls_context(ca_file)


def _fault_of_file(error: OSError) -> str:
    return "it holds no certificates" if isinstance(error, ssl.SSLError) else error.strerror or str(error)
