"""A person registers at servers by the device; replies that are not for it and power cuts leave nothing half done."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from device_office.registrant import ANN, configured, registered
from fob_device.office.progress import Told
from fob_device.office.registration import FieldsError
from fob_device.office.store import PENDING, REGISTRATION
from fob_device.store.errors import TokenFileError
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.registration import Form, RegisterAnswer
from fob_protocol.office.session import Opened
from support.device_bench import MASTER, DeviceBench, on_bench
from support.office_signers import DAY


@pytest.mark.clause("R4")
def test_a_fresh_device_holds_the_issuer_and_nobody_s_secret(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        assert bench.memory.office_items.names() == sorted([
            "factory record", "identity variant",
            *(f"factory/{item}" for item in (
                "boot_program", "device_secret", "hardware", "issuer", "loader", "memory_map", "sealing_key", "serial",
                "server_certificate", "signing_key",
            )),
        ])  # fmt: skip
        assert bench.store.registrations() == []
        assert bench.back_office.talker.known.certificates == {}

    on_bench(tmp_path, story)


@pytest.mark.clause("R7", "R8", "R10", "R11", "R12", "R14", "R15", "R17", "R18")
@pytest.mark.parametrize("form", list(Form))
def test_both_sides_share_a_key_and_ssk1_is_gone(tmp_path: Path, form: Form) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.office.form = form
        await bench.at_rest()
        template = await bench.back_office.template("bank")
        assert (template.title, template.form) == ("A bank of letters", form)
        user = await registered(bench)
        mine = bench.store.registration("bank")
        assert mine is not None
        assert bench.store.key_of(mine, MASTER) == user.key
        assert (mine.name, mine.application, mine.access_path) == ("Ann", "letters", "/v1/session")
        assert user.is_confirmed
        assert bench.memory.office_items.get(PENDING + "bank") is None
        with pytest.raises(TokenFileError):
            bench.store.key_of(mine, bytes(32))
        other = await registered(bench, "shop")
        assert other.key != user.key
        assert [one.server for one in bench.store.registrations()] == ["bank", "shop"]

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R15")
def test_the_file_keeps_no_octet_of_a_request_that_was_answered(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        bench.office.refuses = {Service.SESSION: RefusedError(Refusal.UNAVAILABLE)}
        kept: list[bytes] = []

        def look(service: Service, body: bytes) -> bytes:
            if service is Service.REGISTRATION:
                kept.extend(pending_rows(tmp_path, bench))
            return body

        bench.office.spoil_body = look
        with pytest.raises(RefusedError):
            await registered(bench)
        (sealed,) = kept
        assert len(sealed) > 500
        assert sealed not in (tmp_path / "token.db").read_bytes()
        assert b"".join(sealed[at : at + 32] for at in (64, 128)) not in (tmp_path / "token.db").read_bytes()

    on_bench(tmp_path, story, configured())


def pending_rows(folder: Path, bench: DeviceBench) -> list[bytes]:
    """The sealed rows of requests that wait, as they are in the file."""

    def query(connection: sqlite3.Connection) -> list[bytes]:
        rows = connection.execute("SELECT sealed FROM office WHERE name LIKE ?", (PENDING + "%",))
        return [bytes(sealed) for (sealed,) in rows]

    return bench.memory.office_items.database.read(query)


@pytest.mark.clause("R26")
@pytest.mark.parametrize("answered", [False, True], ids=["before the answer", "after it"])
@pytest.mark.parametrize("question", range(1, 8))
def test_a_power_cut_at_any_question_leaves_one_registration(tmp_path: Path, question: int, answered: bool) -> None:
    """Of template, request, session (two), entitlements, after the directory; the seventh never comes."""

    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        bench.post.cut = bench.post.carried + question, answered
        bench.post.is_cut.clear()
        registering = bench.background(registered(bench))
        await bench.until(lambda: bench.post.is_cut.is_set() or registering.done())
        registering.cancel()
        await bench.power_cut()
        user = await registered(bench)
        users = [one for one in bench.office.registrations.values() if one.is_confirmed]
        mine = bench.store.registration("bank")
        assert mine is not None
        assert bench.store.key_of(mine, MASTER) == user.key
        assert users == [user]
        assert bench.memory.office_items.get(PENDING + "bank") is None

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R15", "R26")
def test_who_asks_again_while_it_is_under_way_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a person does whose computer has died and is there again: the device had gone on."""

    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        carry = bench.post.carry

        async def carry_slowly(service: str, question: bytes, told: Told) -> bytes:
            await asyncio.sleep(0.1)
            return await carry(service, question, told)

        monkeypatch.setattr(bench.post, "carry", carry_slowly)
        await asyncio.gather(*(bench.back_office.register("bank", ANN, MASTER) for _ in range(2)))
        mine = bench.store.registration("bank")
        assert mine is not None
        assert [user.code for user in bench.office.registrations.values()] == [mine.user_code]
        # The second one only opens a session, of three messages.
        assert (bench.office.asked.count(Service.REGISTRATION), bench.office.asked.count(Service.SESSION)) == (2, 6)

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R12")
@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": " "}, "name is missing"),
        ({"name": "A" * 65}, "name has more than 64 octets"),
        ({"name": "Ann", "shoe": "38"}, "there is no field shoe"),
    ],
)
def test_fields_are_looked_at_before_anything_is_sent(tmp_path: Path, fields: dict[str, str], why: str) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        with pytest.raises(FieldsError, match=why):
            await bench.back_office.register("bank", fields, MASTER)
        assert bench.office.registrations == {}

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R25")
def test_a_name_that_is_taken_is_refused_and_another_one_is_not(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        bench.office.refuses = {Service.REGISTRATION: RefusedError(Refusal.NAME_TAKEN)}
        with pytest.raises(RefusedError, match="name-taken"):
            await registered(bench)
        bench.office.refuses = {}
        await bench.back_office.register("bank", {"name": "Ann of the mill"}, MASTER)
        assert bench.office.user().name == "Ann of the mill"

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R14")
def test_a_reply_that_is_not_for_this_request_is_refused(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        replies: list[bytes] = []

        def another(service: Service, body: bytes) -> bytes:
            if service is not Service.REGISTRATION or body[1] != 2:
                return body
            replies.append(body)
            return replies[0]

        bench.office.spoil_body = another
        await registered(bench)
        with pytest.raises(OfficeError) as refused:
            await bench.back_office.register("shop", {"name": "Bob"}, MASTER)
        assert refused.value.fault is Fault.WRONG_REPLY
        assert [one.server for one in bench.store.registrations()] == ["bank"]
        assert read(RegisterAnswer, replies[0])

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R28")
def test_a_key_that_gives_no_secret_is_refused(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        bench.office.spoil_body = lambda service, body: (
            replace(read(Opened, body), key=bytes(32)).octets() if service is Service.SESSION and body[1] == 1 else body
        )
        with pytest.raises(OfficeError) as refused:
            await registered(bench)
        assert refused.value.fault is Fault.MALFORMED

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R6")
def test_a_token_that_is_made_anew_has_no_registrations(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        await registered(bench)
        assert REGISTRATION + "bank" in bench.memory.office_items.names()
        bench.memory.token.init_token(b"12345678", "new")
        assert bench.store.registrations() == []
        assert bench.memory.office_items.is_made

    on_bench(tmp_path, story, configured())


def test_days_of_a_template(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        bench.office.now += DAY + 1
        bench.office.list_number = 2
        with pytest.raises(OfficeError) as refused:
            await registered(bench)
        assert refused.value.fault in (Fault.EXPIRED, Fault.LIST_EXPIRED)

    on_bench(tmp_path, story, configured())
