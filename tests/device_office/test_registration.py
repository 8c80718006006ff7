"""A person registers at servers by the device, and uses what that gives; an office that lies is found out."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.directory import DIRECTORY_AGE
from fob_device.office.progress import Told
from fob_device.office.registering import NotRegisteredError
from fob_device.office.registration import FieldsError
from fob_device.office.store import PENDING, REGISTRATION
from fob_device.store.errors import TokenFileError
from fob_protocol.office.certificate import Usage
from fob_protocol.office.configuration import Purpose
from fob_protocol.office.entitlements import Entitlements, State
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.limits import SESSION_TIME
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.registration import Form, RegisterAnswer, TemplateAnswer
from fob_protocol.office.session import Opened, Proved
from support.device_bench import MASTER, DeviceBench, on_bench, releases
from support.office_signers import DAY, NOW, Server
from support.reference_office import ReferenceOffice, User

ANN = {"name": "Ann", "account": "12"}
PC = bytes(range(32))


async def registered(bench: DeviceBench, server: str = "bank") -> User:
    """Ann, at a server."""
    await bench.back_office.register(server, ANN, MASTER)
    return bench.office.user(server)


def configured() -> ReferenceOffice:
    office = ReferenceOffice()
    office.order = []
    return office


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


# What a server shows instead of its certificate.
Certified = Callable[[ReferenceOffice], Server]
REGISTRATION_USAGES = (Usage.REGISTRATION, Usage.ENTITLEMENT)


def _changed(office: ReferenceOffice, **changes: object) -> Server:
    return office.signers.certified(replace(office.bank.certificate, **changes))


@pytest.mark.clause("R9", "R10", "R27")
@pytest.mark.parametrize(
    ("show", "fault"),
    [
        (lambda office: office.signers.server("bank", *REGISTRATION_USAGES, issuer=office.signers.signing_key()),
         Fault.WRONG_ISSUER),
        (lambda office: office.signers.server("bank", *REGISTRATION_USAGES, issuer=office.bank.signing_key),
         Fault.WRONG_ISSUER),
        (lambda office: office.shop, Fault.OTHER_SERVER),
        (lambda office: office.signers.server("bank", Usage.ENTITLEMENT), Fault.OTHER_USAGE),
        (lambda office: _changed(office, not_before=NOW + 1), Fault.NOT_YET_VALID),
        (lambda office: _changed(office, not_after=NOW - 1), Fault.EXPIRED),
        (lambda office: _changed(office, epoch=0), Fault.ROLLBACK),
    ],
    ids=["another issuer", "signed by itself", "another server", "another usage", "too early", "over", "an old one"],
)  # fmt: skip
def test_a_certificate_that_does_not_hold_ends_it_before_the_template(
    tmp_path: Path, show: Certified, fault: Fault
) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        before = bench.back_office.talker.known
        shown = show(bench.office)
        bench.office.spoil_body = lambda service, body: (
            TemplateAnswer(shown.signed, read(TemplateAnswer, body).template).octets()
            if service is Service.REGISTRATION
            else body
        )
        with pytest.raises(OfficeError) as refused:
            await registered(bench)
        assert refused.value.fault is fault
        assert bench.back_office.talker.known == before
        assert bench.store.registrations() == []

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R27")
def test_a_revoked_server_is_not_even_asked(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.office.revoked = {"bank": 2}
        await bench.at_rest()
        with pytest.raises(OfficeError) as refused:
            await registered(bench)
        assert refused.value.fault in (Fault.REVOKED, Fault.OTHER_SERVER)
        assert Service.REGISTRATION not in bench.office.asked

    on_bench(tmp_path, story, configured())


def change_keys_of_the_bank(office: ReferenceOffice, revoked: bool = True) -> Server:
    """New ones; the old ones open nothing any more. They are what it comes to."""
    old = office.bank
    office.bank = office.signers.server("bank", *REGISTRATION_USAGES, epoch=old.certificate.epoch + 1)
    office.former = [] if revoked else [old]
    if revoked:
        office.list_number, office.revoked = office.list_number + 1, {"bank": office.bank.certificate.epoch}
    return old


@pytest.mark.clause("R27")
@pytest.mark.parametrize("is_open", [True, False])
def test_keys_that_are_revoked_while_a_session_is_open_do_not_end_what_a_person_does(
    tmp_path: Path, is_open: bool
) -> None:
    """A question that nobody there opens makes the device ask for the list, and do the same once in a new session."""

    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        await registered(bench)
        if is_open:
            await bench.back_office.use("bank", PC, "letters", "new", b"before", MASTER)
        else:
            bench.office.now += SESSION_TIME
        change_keys_of_the_bank(bench.office)
        await bench.back_office.use("bank", PC, "letters", "new", b"after", MASTER)
        await bench.back_office.use("bank", PC, "letters", "new", b"and on", MASTER)
        said = [use.body for use in bench.office.used if use.body != b"before"]
        assert (said, bench.back_office.talker.known.trust.epochs["bank"]) == ([b"after", b"and on"], 2)

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R26", "R27")
def test_what_may_have_been_done_is_not_done_again_by_other_keys(tmp_path: Path) -> None:
    """One try was lost on its way: the office may have heard it."""

    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        await registered(bench)
        change_keys_of_the_bank(bench.office)
        bench.post.failures = [NotCarriedError(NotCarried.UNREACHABLE)]
        with pytest.raises(NotCarriedError):
            await bench.back_office.use("bank", PC, "letters", "new", b"once", MASTER)
        # What comes next asks first.
        await bench.back_office.use("bank", PC, "letters", "new", b"twice", MASTER)
        assert [use.body for use in bench.office.used] == [b"twice"]

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R27")
def test_a_stolen_key_that_was_revoked_registers_nobody_and_opens_no_session(tmp_path: Path) -> None:
    """Whoever answers by it, though the device has heard of the list a minute before."""

    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        await registered(bench)
        bench.office.now += SESSION_TIME
        await bench.back_office.configure(Purpose.LOOK)
        old = change_keys_of_the_bank(bench.office)
        bench.office.now += 60
        bench.office.former = [old]
        bench.office.asked.clear()
        await bench.back_office.template("bank")
        await bench.back_office.use("bank", PC, "letters", "new", b"", MASTER)
        assert bench.office.asked[0] is Service.DIRECTORY
        assert bench.office.by_former == 0

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R27")
def test_in_an_open_session_the_list_is_ten_minutes_old_at_most(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        await registered(bench)
        await bench.back_office.use("bank", PC, "letters", "new", b"", MASTER)
        change_keys_of_the_bank(bench.office, revoked=False)
        for age, asked in ((DIRECTORY_AGE - 1, 0), (1, 1)):
            bench.office.now += age
            bench.office.asked.clear()
            await bench.back_office.use("bank", PC, "letters", "new", b"", MASTER)
            assert bench.office.asked.count(Service.DIRECTORY) == asked

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("R3", "R7")
def test_a_server_that_is_new_is_asked_for_when_somebody_names_it(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        bench.office.now += 60
        bench.office.shop = bench.office.signers.server("new-shop", *REGISTRATION_USAGES)
        assert await bench.back_office.knows_server("new-shop")
        await registered(bench, "new-shop")
        asked = len(bench.office.asked)
        assert await bench.back_office.knows_server("bank")
        assert len(bench.office.asked) == asked
        assert not await bench.back_office.knows_server("nobody")

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
