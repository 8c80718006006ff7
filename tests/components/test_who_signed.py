"""Nothing of a granted set is taken that the right servers have not signed for this device and request."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import msgspec
import pytest

from components.offer_case import Case
from fob_device.components.equipment import Equipment
from fob_protocol.office.certificate import Usage
from fob_protocol.office.component import Component
from fob_protocol.office.errors import Fault
from fob_protocol.office.release import wrap_key
from support.component_device import equipped, trust
from support.office_signers import NOW, OfficeSigners, Server, public

changed = msgspec.structs.replace


@pytest.fixture
def case(signers: OfficeSigners, device: Equipment) -> Case:
    return Case(signers, device)


def held(case: Case) -> list[Component]:
    return [one.release.component for one in case.draft.released]


MakeCode: TypeAlias = Callable[[Case], bytes]
CODES: dict[str, MakeCode] = {
    "of another serial": lambda case: case.signers.code(case.device, case.draft, serial="FM-0002"),
    "of other ids": lambda case: case.signers.code(
        case.device, case.draft, components=[changed(one, id=f"x{one.id}") for one in held(case)]
    ),
    "of one id more": lambda case: case.signers.code(
        case.device, case.draft, components=[*held(case), case.slogan.release.component]
    ),
    "of one id less": lambda case: case.signers.code(case.device, case.draft, components=held(case)[1:]),
    "of another version": lambda case: case.signers.code(
        case.device, case.draft, components=[changed(one, version=(9, 9, 9)) for one in held(case)]
    ),
    "of a swapped header": lambda case: case.signers.code(
        case.device, case.draft, components=[changed(one, digest=bytes(32)) for one in held(case)]
    ),
    "of the set before, replayed": lambda case: case.signers.code(
        case.device, replace(case.draft, manifest=changed(case.draft.manifest, set_number=6))
    ),
    "of another device's secret": lambda case: case.signers.code(equipped(case.signers), case.draft),
}


@pytest.mark.clause("C20")
@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_an_authorisation_code(case: Case, code: MakeCode) -> None:
    """Unapproved changes, and overrides."""
    case.draft.code = code(case)
    assert case.fault() is Fault.WRONG_AUTHORISATION


@pytest.mark.clause("C20")
def test_the_order_of_the_list_does_not_change_the_code(case: Case) -> None:
    case.put(case.slogan, case.table, case.rates)
    assert case.check()


@pytest.mark.clause("C25")
def test_a_manifest_for_another_challenge(case: Case) -> None:
    """Replay of what was granted before, and freeze."""
    case.draft.change(challenge=b"challenge of yesterday")
    assert case.fault() is Fault.STALE_ANSWER


@pytest.mark.clause("C23", "C25")
def test_a_manifest_for_another_device(case: Case) -> None:
    """Redirect. All of it is genuine, and for that one."""
    other = equipped(case.signers)
    draft = case.signers.draft(other, [case.table, case.rates], set_number=7, security_counter=10)
    assert case.fault(offer=case.signers.offer(other, draft)) is Fault.OTHER_DEVICE


@pytest.mark.clause("C23", "C25")
def test_for_whom_and_for_which_request_is_looked_at_first(case: Case) -> None:
    """Whatever else may be wrong with it."""
    case.put(case.rates)
    case.draft.change(challenge=bytes(16), set_number=1, hardware="phone-2", until=0)
    assert case.fault() is Fault.STALE_ANSWER
    case.draft.change(device=bytes(16))
    assert case.fault() is Fault.OTHER_DEVICE


@pytest.mark.clause("C23")
def test_content_keys_for_another_device(case: Case) -> None:
    other = public(equipped(case.signers).sealing_key)
    case.draft.keys = [wrap_key(one.key, other, one.signed) for one in case.draft.released]
    assert case.fault() is Fault.OTHER_DEVICE


@pytest.mark.clause("C23")
def test_content_keys_of_another_release(case: Case) -> None:
    own = public(case.device.sealing_key)
    case.draft.keys = [wrap_key(one.key, own, case.slogan.signed) for one in case.draft.released]
    assert case.fault() is Fault.OTHER_DEVICE


@pytest.mark.clause("C25")
def test_arbitrary_software(case: Case) -> None:
    """The certificates are genuine, the keys that sign are not."""
    forged = replace(case.signers.configuration, signing_key=case.signers.signing_key())
    assert case.fault(offer=case.signers.offer(case.device, case.draft, by=forged)) is Fault.WRONG_SIGNATURE
    maker = replace(case.signers.releases, signing_key=case.signers.signing_key())
    case.put(case.signers.release_by(maker, "slogan", b"", security_counter=10))
    assert case.fault() is Fault.WRONG_SIGNATURE


@pytest.mark.clause("C25")
def test_a_release_without_a_certificate_of_who_made_it(case: Case) -> None:
    case.draft.certificates = []
    assert case.fault() is Fault.WRONG_SIGNATURE


@pytest.mark.clause("C25")
def test_a_release_that_the_configuration_server_made(case: Case) -> None:
    """Key compromise: whoever has that key offers genuine releases, or none."""
    configuration = case.signers.configuration
    case.put(case.signers.release_by(configuration, "slogan", b"", security_counter=10))
    assert case.fault() is Fault.WRONG_SIGNATURE
    case.draft.certificates = [configuration.signed]
    assert case.fault() is Fault.OTHER_USAGE


Make: TypeAlias = Callable[[OfficeSigners], Server]
SERVERS: dict[str, tuple[Fault, Make]] = {
    "of another issuer": (
        Fault.WRONG_ISSUER,
        lambda signers: signers.server("config", Usage.CONFIGURATION, issuer=signers.signing_key()),
    ),
    "of another name": (Fault.OTHER_SERVER, lambda signers: signers.server("config2", Usage.CONFIGURATION)),
    "for something else": (Fault.OTHER_USAGE, lambda signers: signers.server("config", Usage.RELEASE)),
    "that has not begun": (
        Fault.NOT_YET_VALID,
        lambda signers: signers.certified(changed(signers.configuration.certificate, not_before=NOW + 1)),
    ),
    "that is over": (
        Fault.EXPIRED,
        lambda signers: signers.certified(changed(signers.configuration.certificate, not_after=NOW - 1)),
    ),
    "that was revoked": (Fault.REVOKED, lambda signers: signers.server("config", Usage.CONFIGURATION, epoch=2)),
    "of an epoch before": (Fault.ROLLBACK, lambda signers: signers.server("config", Usage.CONFIGURATION, epoch=3)),
}


@pytest.mark.clause("C25")
@pytest.mark.parametrize(("fault", "make"), SERVERS.values(), ids=SERVERS)
def test_a_server_with_a_certificate(case: Case, fault: Fault, make: Make) -> None:
    """What the device has seen: a list by which epoch 2 is worth nothing, and a certificate of epoch 4."""
    known = trust(case.device)
    if fault in (Fault.REVOKED, Fault.ROLLBACK):
        known = replace(known.with_list(case.signers.revocation_list(1, config=3)), epochs={"config": 4})
    offer = case.signers.offer(case.device, case.draft, by=make(case.signers))
    assert case.fault(known=known, offer=offer) is fault


@pytest.mark.clause("C25")
def test_a_release_server_that_was_revoked(case: Case) -> None:
    known = trust(case.device).with_list(case.signers.revocation_list(1, releases=2))
    assert case.fault(known=known) is Fault.REVOKED


@pytest.mark.clause("C25", "R27")
def test_a_release_by_keys_that_are_not_revoked_though_there_are_newer_ones(case: Case) -> None:
    """The directory has told of epoch 2; what epoch 1 signed before is as good as it was, and nothing is forgotten."""
    known = replace(trust(case.device), epochs={"releases": 2})
    assert case.check(known=known).trust.epochs == {"releases": 2, "config": 1}


@pytest.mark.clause("C25", "C26")
def test_releases_by_old_and_by_new_keys_in_one_set(case: Case) -> None:
    newer = case.signers.server("releases", Usage.RELEASE, epoch=2)
    case.put(case.table, case.signers.release_by(newer, "slogan", b"", security_counter=10))
    case.draft.certificates.append(newer.signed)
    assert case.check()
    revoked = trust(case.device).with_list(case.signers.revocation_list(1, releases=2))
    assert case.fault(known=revoked) is Fault.REVOKED


@pytest.mark.clause("C25", "C26")
def test_keys_of_before_bring_back_nothing_older(case: Case) -> None:
    """Rollback: what protects from it are versions and counters, whoever of the release server's keys has signed."""
    known = replace(trust(case.device), epochs={"releases": 2})
    case.change_rates(version=(1, 3, 9))
    assert case.fault(known=known) is Fault.VERSION_ROLLBACK
    case.change_rates(security_counter=9)
    assert case.fault(known=known) is Fault.COUNTER_ROLLBACK


@pytest.mark.clause("C25")
def test_a_server_s_next_epoch_is_taken_and_no_earlier_one_after_it(case: Case) -> None:
    server = case.signers.server("config", Usage.CONFIGURATION, epoch=2)
    plan = case.check(offer=case.signers.offer(case.device, case.draft, by=server))
    assert case.fault(known=plan.trust) is Fault.ROLLBACK
