"""What `fob log` tells: every use of the device, by whom, and what came of it. Never a PIN."""

import asyncio
from pathlib import Path

import pytest
import structlog.testing

from fob_daemon.caller.behalf import Asker, on_behalf_of
from fob_daemon.clients import Clients
from fob_daemon.control.events import EventQueue
from fob_daemon.control.interface import Ask, ClientSocket, ControlEvent, Settled
from fob_daemon.control.log_purpose import LogPurpose
from fob_daemon.cryptoki.engine import Engine
from fob_daemon.device.slot import open_slot
from fob_daemon.journal import ENTRIES_KEPT, Journal
from fob_daemon.peer import PeerIdentity
from fob_protocol.caller import Caller, Purpose
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import SessionFlag
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.virtual_loop import run_virtually
from support.world import P256, USER_PIN, World

SSH = PeerIdentity(4242, 1000, 1000, "ssh", ("ssh", "host"))
SSH_BEHIND_THE_AGENT = PeerIdentity(4343, 1000, 1000, "ssh", ("ssh", "host"))
RW = int(SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION)


def test_each_use_of_the_device_is_an_entry(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        slot = open_slot(1, "pixel", world.manager)
        await slot.idle()
        journal = Journal(lambda: 1_800_000_000.0)
        clients = Clients(Engine([slot]), journal)
        application = clients.open(SSH, ClientSocket.PROVIDER)
        session = application.open_session(1, RW)
        with pytest.raises(CkrError, match="PIN_INCORRECT"):
            await application.login(session, Cku.USER, b"wrong-pin")
        await application.login(session, Cku.USER, USER_PIN)
        public, private = await application.generate_key_pair(
            session,
            Mechanism(Ckm.EC_KEY_PAIR_GEN),
            {Cka.TOKEN: True, Cka.EC_PARAMS: P256},
            {Cka.TOKEN: True, Cka.LABEL: b"mail"},
        )
        application.sign_init(session, Mechanism(Ckm.ECDSA), private)
        signature = await application.sign(session, bytes(32), 64)
        assert isinstance(signature, bytes)
        ssh = Caller(("ssh", "git"), Purpose.LOGIN, "github.com", is_forwarded=True)
        with on_behalf_of(Asker(SSH_BEHIND_THE_AGENT, ssh)):
            application.sign_init(session, Mechanism(Ckm.ECDSA), private)
            await application.sign(session, bytes(32), 64)
        behind = journal.newest(1, 0)[0]
        assert (behind.program, behind.pid, behind.programs) == ("ssh", 4343, ("ssh", "git"))
        assert (behind.purpose, behind.host, behind.forwarded) == (LogPurpose.LOGIN, "github.com", True)
        await application.destroy_object(session, private)

        entries = [entry for entry in journal.newest(100, 0) if entry is not behind]
        assert [(e.operation, e.key, e.result) for e in entries] == [
            ("login", "USER", "CKR_PIN_INCORRECT"),
            ("login", "USER", "OK"),
            ("generate", "mail", "OK"),
            ("sign", "mail", "OK"),
            ("destroy", "mail", "OK"),
        ]
        assert {(e.program, e.pid, e.device) for e in entries} == {("ssh", 4242, "pixel")}
        assert all(pin not in repr(entries) for pin in ("wrong-pin", USER_PIN.decode()))
        report = list(clients.report())
        assert [(r.program, r.sessions, r.logged_in) for r in report] == [("ssh", 1, True)]
        application.find_objects_init(session, {Cka.CLASS: Cko.PUBLIC_KEY})
        assert application.find_objects(session, 10) == [public]
        application.close()
        assert list(clients.report()) == []
        await slot.close()
        await world.close()

    run_virtually(story())


def test_only_the_newest_entries_are_kept() -> None:
    journal = Journal(lambda: 0.0, later=lambda publish: publish())
    queue: EventQueue[ControlEvent] = EventQueue()
    journal.subscribe(queue)
    for _ in range(ENTRIES_KEPT + 5):
        note(journal)
    assert [entry.sequence for entry in journal.newest(2, 0)] == [ENTRIES_KEPT + 4, ENTRIES_KEPT + 5]
    assert len(journal.newest(10_000, 0)) == ENTRIES_KEPT
    assert journal.newest(10, ENTRIES_KEPT + 4)[0].sequence == ENTRIES_KEPT + 5
    assert journal.newest(0, 0) == []


async def test_who_watches_hears_of_it_and_who_left_does_not() -> None:
    journal = Journal(lambda: 0.0)
    queue: EventQueue[ControlEvent] = EventQueue()
    journal.subscribe(queue)
    note(journal)
    event, lost = await queue.get()
    assert (event, lost) == (journal.newest(1, 0)[0], 0)
    journal.unsubscribe(queue)
    note(journal)


async def test_who_begins_to_watch_hears_the_questions_that_are_open() -> None:
    now = 100.0
    journal = Journal(clock=lambda: now)
    for event in (
        Ask("pixel", "unlock the phone", 60.0, 7),
        Ask("pixel", "log in", 50.0, 8),
        Settled("pixel", 8),
        Ask("pixel", "sign", 40.0, 7),
        Ask("tablet", "sign", 5.0, 7),
    ):
        journal.tell(event)
    now = 110.0
    queue: EventQueue[ControlEvent] = EventQueue()
    journal.subscribe(queue)
    journal.tell(Settled("pixel", 7))
    heard = [(await queue.get())[0] for _ in range(2)]
    assert heard == [Ask("pixel", "sign", 30.0, 7), Settled("pixel", 7)], "the other one's time is over"


async def test_the_answer_goes_before_the_line_in_the_log() -> None:
    """As a connection has it: a task makes the answer, and its callback writes it."""
    journal = Journal(lambda: 0.0)
    happened: list[str] = []
    written = asyncio.Event()

    async def request() -> None:
        note(journal)
        assert [entry.operation for entry in journal.newest(1, 0)] == ["sign"], "who asks for the log sees it at once"

    class Queue(EventQueue[ControlEvent]):
        def put(self, event: ControlEvent) -> None:
            happened.append("told")
            written.set()

    journal.subscribe(Queue())
    with structlog.testing.capture_logs() as logs:
        task = asyncio.create_task(request())
        task.add_done_callback(lambda _: happened.append(f"answered, {len(logs)} lines"))
        await written.wait()

    assert happened == ["answered, 0 lines", "told"]
    assert [(line["event"], line["program"], line["result"]) for line in logs] == [("key.used", "ssh", "OK")]


def note(journal: Journal) -> None:
    journal.record(
        pid=1,
        caller=Caller(("ssh",)),
        operation="sign",
        key="k",
        device="d",
        result=Ckr.OK.name,
        milliseconds=1.0,
    )
