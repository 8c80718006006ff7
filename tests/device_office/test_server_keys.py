"""A device counts on a server's keys no longer than its certificate, its issuer and the list of the revoked say."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from device_office.registrant import PC, configured, registered
from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.directory import DIRECTORY_AGE
from fob_protocol.office.certificate import Usage
from fob_protocol.office.configuration import Purpose
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.limits import SESSION_TIME
from fob_protocol.office.message import read
from fob_protocol.office.registration import TemplateAnswer
from support.device_bench import MASTER, DeviceBench, on_bench
from support.office_signers import NOW, Server
from support.reference_office import ReferenceOffice

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
