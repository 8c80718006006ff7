"""Who may come in: this machine's browser, with the address that the phone printed, from the phone's own page.

Any page of the web can make a browser send requests to this machine. What it cannot do is read the answer, know the
token, or say that it is our page: Host, Origin and Sec-Fetch-Site are the browser's own words (Fetch, sections 3.1 and
3.2; W3C Fetch Metadata, section 2.3).
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

# A page's own requests, and an address that a person typed, opened from a terminal, or came back to.
_OURS: Final = frozenset({"same-origin", "none"})
# What a browser says of a form under `Referrer-Policy: no-referrer`; Sec-Fetch-Site has to vouch for it.
_WITHHELD: Final = "null"

# No code but our file's, no frame around us, nothing from or to anywhere else.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Door:
    """`host`: the address as a browser writes it in Host, `127.0.0.1:8437`. `token`: URL-safe text, nobody's guess."""

    host: str
    token: str = field(repr=False)

    @property
    def origin(self) -> str:
        """As a browser writes it in Origin."""
        return f"http://{self.host}"

    @property
    def base(self) -> str:
        """The path of everything: `/TOKEN/`."""
        return f"/{self.token}/"

    @property
    def address(self) -> str:
        """For the person's browser, and for nobody else."""
        return self.origin + self.base

    def refuse(self, method: str, path: str, headers: Mapping[str, str]) -> HTTPStatus | None:
        """Why a request gets no answer, None when it may come in; `path` as it was sent, `headers` without case."""
        if headers.get("Host") != self.host:
            return HTTPStatus.MISDIRECTED_REQUEST
        # Compared in a time that tells nothing; the length is no secret.
        if not hmac.compare_digest(path[: len(self.base)].encode(errors="surrogateescape"), self.base.encode()):
            return HTTPStatus.NOT_FOUND
        if method not in ("GET", "POST"):
            return HTTPStatus.METHOD_NOT_ALLOWED
        if not self._is_ours(method, headers.get("Origin"), headers.get("Sec-Fetch-Site")):
            return HTTPStatus.FORBIDDEN
        return None

    def _is_ours(self, method: str, origin: str | None, site: str | None) -> bool:
        if site is not None and site not in _OURS:
            return False
        if method == "GET":
            return origin in (None, self.origin)
        return origin == self.origin or (origin in (None, _WITHHELD) and site == "same-origin")
