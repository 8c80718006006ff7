"""uvicorn, with one worker in this process or several in their own."""

import os
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

import uvicorn
from uvicorn.supervisors import Multiprocess

from fob_office.errors import OperatorError
from fob_office.http.app import create_app
from fob_office.http.connection import TimedConnection
from fob_office.http.metrics import FOLDER_VARIABLE
from fob_office.office import Office
from fob_office.settings import STATE_VARIABLE, Settings

_FACTORY: Final = "fob_office.http.app:from_environment"
# Of one worker; whoever comes then is told 503 by uvicorn itself.
_CONNECTIONS: Final = 4000
# Seconds for questions in hand when the office is stopped.
_GRACE: Final = 15


def serve(office: Office, listener: socket.socket, *, has_tls: bool, on_ready: Callable[[], None]) -> None:
    """Until SIGTERM or SIGINT. `on_ready`: nothing is in the way. Raises OperatorError when TLS cannot be used."""
    settings = office.settings
    options = options_of(settings, has_tls=has_tls)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    if settings.workers == 1:
        server = uvicorn.Server(uvicorn.Config(create_app(office), **options))
        on_ready()
        server.run(sockets=[listener])
        return
    office.close()
    with tempfile.TemporaryDirectory(prefix="fob-office-") as numbers:
        os.environ[FOLDER_VARIABLE] = numbers
        os.environ[STATE_VARIABLE] = str(settings.state.absolute())
        config = uvicorn.Config(_FACTORY, factory=True, workers=settings.workers, **options)
        on_ready()
        Multiprocess(config, sockets=[listener]).run()


def options_of(settings: Settings, *, has_tls: bool) -> dict[str, Any]:
    """What uvicorn is told. Raises OperatorError when TLS cannot be used."""
    tls = {}
    if has_tls:
        certificate, key = settings.path(settings.tls.certificate), settings.path(settings.tls.key)
        _check_tls(certificate, key)
        tls = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
    return tls | {
        "http": TimedConnection,
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": list(settings.trusted_proxies),
        "limit_concurrency": _CONNECTIONS,
        "timeout_graceful_shutdown": _GRACE,
    }


def _check_tls(certificate: Path, key: Path) -> None:
    """Here, and not in a worker that is started again and again. Raises OperatorError."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError as error:
        why = f"{certificate} and {key}: {error.strerror or error}"
        raise OperatorError("TLS cannot be used", why, "mend office.toml: [tls], or fob-office run --no-tls") from None


def _stop(_: int, __: FrameType | None) -> None:
    """uvicorn raises the signal again when it has stopped; that is a good end."""
    sys.exit(0)
