"""Where the office is, as the configuration file says it: the only place that this daemon ever posts to."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_LOCALHOST: Final = "localhost"
URL_LIMIT: Final = 512


def fault_of_office_url(url: str) -> str | None:
    """What is wrong with the address of an office; None when nothing is."""
    if not 0 < len(url) <= URL_LIMIT or not url.isascii() or not url.isprintable() or " " in url:
        return f"an address has 1 to {URL_LIMIT} visible characters of ASCII"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"it is no address: {error}"
    if parts.scheme not in ("https", "http") or not host:
        return "an address is https://HOST, with :PORT and /PATH if they are needed"
    if parts.username is not None or parts.password is not None:
        return "an address holds no user and no password"
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return "an address ends with its path"
    if parts.scheme == "http" and not _is_this_computer(host):
        return "http:// is for an office on this computer; any other one is https://"
    return None


def service_url(url: str, service: str) -> str:
    """Where a question to `service` goes."""
    return f"{url.rstrip('/')}/v1/{service}"


def _is_this_computer(host: str) -> bool:
    if host == _LOCALHOST:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
