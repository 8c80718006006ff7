"""The doors of the daemon: listening Unix sockets, inherited or its own, and who may come in."""

import asyncio
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Set
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from fob_daemon.peer import PeerIdentity, peer_identity
from fob_daemon.permissions import SOCKET_MODE, make_own_folder, require_own_folder
from fob_daemon.start_error import StartError

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

# Programs that connect at once, at login, wait here.
BACKLOG: Final = 64
# A refused program writes its first request within milliseconds, and then reads that nobody wants it.
LEAVING_TIME: Final = 1.0
# Descriptors for whoever knocks again and again.
LEAVING_LIMIT: Final = 16


class ListenError(StartError):
    """No socket can be made at the path; the message says why."""


def bind_unix_socket(path: Path) -> socket.socket:
    """A listening, non-blocking socket of mode 0600 in a folder that is the user's own. Raises StartError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        make_own_folder(path.parent)
        require_own_folder(path.parent)
        _remove_stale(path)
        # Before bind: the file must not be open to others for a moment.
        os.fchmod(listener.fileno(), SOCKET_MODE)
        listener.bind(os.fspath(path))
        # Behind it: the umask may have taken its owner's own permissions away.
        path.chmod(SOCKET_MODE)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise ListenError(f"{path}: {error.strerror or error}") from error
    except StartError:
        listener.close()
        raise
    return listener


def path_of(where: Path | socket.socket) -> str:
    """Where programs connect; "@name" when that is no file but a name that the kernel keeps (unix(7))."""
    if isinstance(where, Path):
        return str(where)
    name = where.getsockname()
    return name if isinstance(name, str) else "@" + os.fsdecode(name[1:])


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"{path}: exists and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass  # its backlog is full, so somebody owns it
    raise ListenError(f"{path}: another process listens there")


class Door:
    """The listening sockets of one purpose. `name` stands in the log; `allowed_uids` may come in, `limit` at once."""

    def __init__(self, name: str, allowed_uids: Set[int], limit: int) -> None:
        self._name = name
        self._allowed_uids = frozenset(allowed_uids)
        self._limit = limit
        self._is_full = False
        self._leaving: dict[socket.socket, asyncio.TimerHandle] = {}
        self._servers: list[asyncio.Server] = []
        self._own_files: list[tuple[Path, int]] = []

    async def listen(
        self, where: Path | socket.socket, serve: Callable[[socket.socket], Awaitable[asyncio.Server]]
    ) -> None:
        """Serve at a path, or on a listening socket that was inherited. Raises StartError for a path."""
        self._servers.append(await serve(self._bind(where) if isinstance(where, Path) else where))

    def admit(
        self, connection: socket.socket, connected: int, make_room: Callable[[], bool] = lambda: False
    ) -> PeerIdentity | None:
        """Who is at the other end, None for somebody who may not come in while `connected` others are there.

        `make_room` is asked in a full house, and says whether somebody left. A full house is logged once, whoever
        knocks, until somebody was let in again.
        """
        peer = peer_identity(connection)
        if peer.uid not in self._allowed_uids:
            _log.warning(f"{self._name}.refused_user", uid=peer.uid, pid=peer.pid, program=peer.program)
        elif connected < self._limit or make_room():
            self._is_full = False
            return peer
        elif not self._is_full:
            self._is_full = True
            _log.warning(f"{self._name}.full", limit=self._limit, refused=peer.program, pid=peer.pid)
        self._send_away(connection)
        return None

    def close(self) -> None:
        """Nobody new comes in; the socket files made here are gone."""
        for server in self._servers:
            server.close()
        while self._leaving:
            self._let_go(next(iter(self._leaving)))
        for path, inode in self._own_files:
            _remove_own(path, inode)
        self._own_files.clear()

    async def wait_closed(self) -> None:
        """Wait until the servers have ended."""
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    def _send_away(self, connection: socket.socket) -> None:
        """Let it read the end before its socket closes: SIGPIPE kills a program that writes to a closed one.

        The caller closes the connection itself; this keeps a second descriptor of it for a moment.
        """
        leaving = socket.socket(fileno=os.dup(connection.fileno()))
        with suppress(OSError):  # it has gone by itself
            leaving.shutdown(socket.SHUT_WR)
        if len(self._leaving) >= LEAVING_LIMIT:
            self._let_go(next(iter(self._leaving)))
        self._leaving[leaving] = asyncio.get_running_loop().call_later(LEAVING_TIME, self._let_go, leaving)

    def _let_go(self, leaving: socket.socket) -> None:
        self._leaving.pop(leaving).cancel()
        leaving.close()

    def _bind(self, path: Path) -> socket.socket:
        listener = bind_unix_socket(path)
        self._own_files.append((path, path.lstat().st_ino))
        return listener


def _remove_own(path: Path, inode: int) -> None:
    """Another daemon may have put its own socket there."""
    try:
        if path.lstat().st_ino == inode:
            path.unlink()
    except FileNotFoundError:
        pass
