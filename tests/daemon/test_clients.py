"""Who is shown as a client: the programs at the two sockets, with the login that they can use."""

import os
from pathlib import Path

import pytest

from fob_daemon.clients import Clients
from fob_daemon.control.interface import ClientSocket
from fob_daemon.cryptoki.application import FobApplication
from fob_daemon.cryptoki.engine import Engine
from fob_daemon.device.slot import open_slot
from fob_daemon.journal import Journal
from fob_daemon.peer import PeerIdentity
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.flags import SessionFlag
from support.virtual_loop import run_virtually
from support.world import USER_PIN, World

OURSELVES = PeerIdentity(os.getpid(), os.getuid(), os.getgid(), "ssh-agent", ())
SSH = PeerIdentity(4242, 1000, 1000, "ssh", ("ssh", "host"))
BROWSER = PeerIdentity(4243, 1000, 1000, "firefox", ("firefox",))
FOB = PeerIdentity(4244, 1000, 1000, "fob", ("fob", "status"))


def shown(clients: Clients) -> list[tuple[str, str, bool]]:
    """Program, socket, login."""
    return [(client.program, client.socket, client.logged_in) for client in clients.report()]


async def log_in(application: FobApplication) -> int:
    session = application.open_session(1, SessionFlag.SERIAL_SESSION)
    await application.login(session, Cku.USER, USER_PIN)
    return session


def test_the_agent_is_no_client_and_its_login_is_its_visitors(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        slot = open_slot(1, "pixel", world.manager)
        await slot.idle()
        clients = Clients(Engine([slot]), Journal())
        agent = clients.open(OURSELVES, ClientSocket.AGENT)
        assert (shown(clients), clients.agent_is_logged_in) == ([], False)

        ssh = clients.open(SSH, ClientSocket.AGENT)
        browser = clients.open(BROWSER, ClientSocket.PROVIDER)
        clients.open(FOB, None)
        assert shown(clients) == [("ssh", "agent", False), ("firefox", "provider", False)]

        session = await log_in(agent)
        assert shown(clients) == [("ssh", "agent", True), ("firefox", "provider", False)]

        await agent.logout(session)
        await log_in(browser)
        assert shown(clients) == [("ssh", "agent", False), ("firefox", "provider", True)]

        await log_in(agent)
        ssh.close()
        assert shown(clients) == [("firefox", "provider", True)]
        assert clients.agent_is_logged_in
        agent.close()
        assert not clients.agent_is_logged_in
        await slot.close()
        await world.close()

    run_virtually(story())


@pytest.mark.parametrize(("peer", "is_forwarded"), [(SSH, True), (BROWSER, False)])
def test_what_ssh_asks_for_at_the_provider_socket_comes_from_another_machine(
    tmp_path: Path, peer: PeerIdentity, is_forwarded: bool
) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        slot = open_slot(1, "pixel", world.manager)
        await slot.idle()
        journal = Journal(later=lambda publish: publish())
        application = Clients(Engine([slot]), journal).open(peer, ClientSocket.PROVIDER)
        await log_in(application)
        assert [entry.forwarded for entry in journal.newest(9, 0)] == [is_forwarded]
        application.close()
        await slot.close()
        await world.close()

    run_virtually(story())
