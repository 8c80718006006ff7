"""What a registered person does by sessions; entitlements change in them, and an office that lies is found out."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from device_office.registrant import PC, configured, registered
from fob_device.office.registering import NotRegisteredError
from fob_protocol.office.configuration import Purpose
from fob_protocol.office.entitlements import Entitlements, State
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.session import Proved
from support.device_bench import MASTER, DeviceBench, on_bench, releases
from support.office_signers import NOW, Server
from support.reference_office import User


@pytest.mark.clause("R19", "R20", "R21", "R22", "R24")
def test_a_session_carries_requests_and_entitlements_change_in_it(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        user = await registered(bench)
        used = await bench.back_office.use("bank", PC, "letters", "new", b"hello", MASTER)
        assert (used.status, used.body) == (200, b"for Ann: hello")
        asked = len(bench.office.asked)
        await bench.back_office.use("bank", PC, "letters", "new", b"again", MASTER)
        assert len(bench.office.asked) == asked + 1
        assert [(use.computer, use.body) for use in bench.office.used] == [(PC, b"hello"), (PC, b"again")]
        user.version, user.applications = 2, {"letters": 1}
        await bench.back_office.use("bank", bytes(32), "letters", "new", b"elsewhere", MASTER)
        mine = bench.store.registration("bank")
        assert mine is not None
        assert mine.entitlements is not None
        assert (mine.version, dict(mine.entitlements.applications)) == (2, {"letters": 1})
        with pytest.raises(RefusedError, match="not-entitled"):
            await bench.back_office.use("bank", PC, "gold", "", b"", MASTER)
        bench.office.sessions.clear()
        await bench.back_office.use("bank", PC, "letters", "new", b"in another session", MASTER)
        assert [use.body for use in bench.office.used][-1] == b"in another session"
        with pytest.raises(NotRegisteredError):
            await bench.back_office.use("shop", PC, "letters", "", b"", MASTER)

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R21")
def test_options_that_cannot_come_now_are_not_asked_for_without_end(tmp_path: Path) -> None:
    """What runs has no release to be given any more: a person is told so, the device by itself asks once."""

    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        user = await registered(bench)
        user.version, user.components = 2, ("table",)
        bench.office.refuses = {Service.CONFIGURATION: RefusedError(Refusal.LACKING, None)}
        await bench.back_office.use("bank", PC, "letters", "new", b"", MASTER)
        await bench.until(lambda: Service.CONFIGURATION in bench.office.asked[-1:])
        asked = len(bench.office.asked)
        await asyncio.sleep(3600)
        assert len(bench.office.asked) == asked
        with pytest.raises(RefusedError, match="lacking"):
            await bench.back_office.configure(Purpose.AGAIN)

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R21", "R23")
def test_who_is_refused_hears_what_may_be_done_now(tmp_path: Path) -> None:
    """Levels that went down and options that came are known from then on; before, the next session told of them."""

    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        user = await registered(bench)
        await bench.back_office.use("bank", PC, "letters", "new", b"", MASTER)
        user.version, user.applications, user.components = 2, {"gold": 1}, ("table",)
        bench.office.order = releases(bench.office)[:1]
        with pytest.raises(RefusedError, match="not-entitled"):
            await bench.back_office.use("bank", PC, "letters", "new", b"", MASTER)
        mine = bench.store.registration("bank")
        assert mine is not None
        assert mine.entitlements is not None
        assert (mine.version, dict(mine.entitlements.applications)) == (2, {"gold": 1})
        await bench.until(lambda: bench.installed == ["table"])
        # In the same session.
        await bench.back_office.use("bank", PC, "gold", "new", b"", MASTER)
        assert len(bench.office.sessions) == 1

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R21")
def test_entitlements_that_bring_options_bring_a_configuration(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        user = await registered(bench)
        user.version, user.components = 2, ("table",)
        await bench.back_office.use("bank", PC, "letters", "", b"", MASTER)
        await bench.until(lambda: len(bench.office.requests) == 2)
        assert not bench.back_office.trouble

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R21")
@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"version": 0}, Fault.STALE),
        ({"user_code": bytes(16)}, Fault.OTHER_USER),
        ({"device": bytes(16)}, Fault.OTHER_DEVICE),
        ({"server": "shop"}, Fault.OTHER_SERVER),
        ({"until": NOW - 1}, Fault.EXPIRED),
    ],
)
def test_entitlements_that_are_not_this_user_s_newest_are_refused(
    tmp_path: Path, changes: dict[str, object], fault: Fault
) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        await registered(bench)
        held = bench.store.registration("bank")
        good = bench.office.entitlements

        def spoiled(server: Server, user: User) -> Entitlements:
            return replace(good(server, user), **changes)

        bench.office.entitlements = spoiled  # type: ignore[method-assign]  # an office that lies
        with pytest.raises(OfficeError) as refused:
            await bench.back_office.use("bank", PC, "letters", "", b"", MASTER)
        assert refused.value.fault is fault
        assert bench.store.registration("bank") == held
        assert bench.office.used == []

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R21")
def test_a_revoked_user_is_told_so(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        user = await registered(bench)
        user.state, user.version, user.applications = State.REVOKED, 2, {}
        with pytest.raises(RefusedError, match="not-entitled"):
            await bench.back_office.use("bank", PC, "letters", "", b"", MASTER)
        mine = bench.store.registration("bank")
        assert mine is not None
        assert mine.entitlements is not None
        assert mine.entitlements.state is State.REVOKED

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R19")
def test_a_server_that_does_not_have_the_key_is_found_out(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        proofs: list[bytes] = []

        def replayed(service: Service, body: bytes) -> bytes:
            if service is Service.SESSION and body[1] == 2:
                proofs.append(body)
                return proofs[0]
            return body

        bench.office.spoil_body = replayed
        await registered(bench)
        bench.office.now += 1000
        with pytest.raises(OfficeError) as refused:
            await bench.back_office.use("bank", PC, "letters", "", b"", MASTER)
        assert refused.value.fault is Fault.WRONG_PROOF
        assert read(Proved, proofs[0])

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R20")
def test_messages_of_a_session_are_not_taken_twice(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        await registered(bench)
        said: list[bytes] = []

        def replayed(service: Service, body: bytes) -> bytes:
            if service is Service.SESSION and body[1] == 3:
                said.append(body)
                return said[0]
            return body

        bench.office.spoil_body = replayed
        with pytest.raises(OfficeError) as refused:
            await bench.back_office.use("bank", PC, "letters", "", b"", MASTER)
        assert refused.value.fault is Fault.OUT_OF_ORDER
        bench.office.spoil_body = lambda service, body: body
        await bench.back_office.use("bank", PC, "letters", "", b"", MASTER)

    on_bench(tmp_path, story, configured())
