"""Who may come in: over TLS, or from this machine; forms only from a page of ours (Fetch, 3.1; W3C Fetch Metadata)."""

from ipaddress import ip_address
from typing import Final

from starlette.requests import Request

BASE: Final = "/operator"
# No script at all, no frame around us, nothing from or to anywhere else.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none';"
        " base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# What a browser says of a form under `Referrer-Policy: no-referrer`; Sec-Fetch-Site has to vouch for it.
_WITHHELD: Final = "null"


def refuse(request: Request) -> str | None:
    """Why a request gets no answer; None when it may come in."""
    if request.url.scheme != "https" and not _is_near(request):
        return "The page is shown over TLS, or on the office's own machine."
    if request.method not in ("GET", "HEAD") and not _is_ours(request):
        return "A form has to come from this page itself."
    return None


def cookie_name(request: Request) -> str:
    """A browser takes `__Host-` from this host alone, and over TLS (RFC 6265bis, 4.1.3.2)."""
    return "__Host-fob-office" if request.url.scheme == "https" else "fob-office"


def _is_near(request: Request) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _is_ours(request: Request) -> bool:
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    own = f"{request.url.scheme}://{request.headers.get('host')}"
    return origin == own or (origin in (None, _WITHHELD) and site == "same-origin")
