"""The programs that are connected: an application for each, and what they do with keys in the journal."""

import os
from collections.abc import Callable, Iterator
from functools import partial

from fob_daemon.caller.behalf import current_asker
from fob_daemon.caller.chain import program_chain
from fob_daemon.caller.forwarding import forwards
from fob_daemon.control.interface import ClientReport, ClientSocket
from fob_daemon.cryptoki.application import FobApplication
from fob_daemon.cryptoki.engine import Engine
from fob_daemon.cryptoki.login_state import Use
from fob_daemon.journal import Journal
from fob_daemon.peer import PeerIdentity
from fob_protocol.caller import Caller
from fob_protocol.pkcs11.ckr import Ckr


class Clients:
    """Opens applications and knows whose they are."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal
        self._known: dict[FobApplication, tuple[PeerIdentity, ClientSocket | None]] = {}

    def opener(self, door: ClientSocket) -> Callable[[PeerIdentity], FobApplication]:
        """The application factory of one socket."""
        return lambda peer: self.open(peer, door)

    def open(self, peer: PeerIdentity, door: ClientSocket | None) -> FobApplication:
        """An application for a program; `door` None for the control socket, whose callers are no clients."""
        self._forget_ended()
        application = self._engine.open_application(
            f"{peer.program} ({peer.pid})", partial(self._note, peer), partial(caller_of, peer)
        )
        self._known[application] = (peer, door)
        return application

    @property
    def agent_is_logged_in(self) -> bool:
        """Whether the agent's own application holds the login that all programs at its socket share."""
        self._forget_ended()
        return any(application.is_logged_in for application, (peer, _) in self._known.items() if _is_ours(peer))

    def report(self) -> Iterator[ClientReport]:
        """The programs at the provider and agent sockets; the agent itself is none."""
        agent_login = self.agent_is_logged_in
        for application, (peer, door) in self._known.items():
            if door is not None and not _is_ours(peer):
                yield ClientReport(
                    peer.pid,
                    peer.program,
                    peer.command_line,
                    door,
                    application.session_count,
                    agent_login if door is ClientSocket.AGENT else application.is_logged_in,
                )

    def _forget_ended(self) -> None:
        alive = set(self._engine.applications)
        self._known = {application: who for application, who in self._known.items() if application in alive}

    def _note(self, peer: PeerIdentity, used: Use) -> None:
        asker = current_asker()
        self._journal.record(
            pid=peer.pid if asker is None else asker.peer.pid,
            caller=used.caller or Caller((peer.program,)),
            operation=used.operation,
            key=used.subject,
            device=used.slot,
            result="OK" if used.result is Ckr.OK else f"CKR_{used.result.name}",
            milliseconds=round(used.seconds * 1000, 1),
        )


def caller_of(peer: PeerIdentity) -> Caller:
    """Who asks at this moment: somebody for whom the agent does, or the program itself."""
    asker = current_asker()
    if asker is not None:
        return asker.caller
    return Caller(program_chain(peer), is_forwarded=forwards(peer.program))


def _is_ours(peer: PeerIdentity) -> bool:
    return peer.pid == os.getpid()
