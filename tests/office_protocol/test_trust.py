"""What a token believes: certificates and revocation lists, and every rule that one of them may break, by its name."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.cose import sign1
from fob_protocol.cose.labels import Label
from fob_protocol.office.certificate import Usage, read_certificate, read_revocation_list
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.trust import Trust
from support.octets import bit_flips
from support.office_trust import DAY, ISSUER, ISSUER_KEY, NOW, OTHER_ISSUER, SERVER, revocations

TRUST = Trust(ISSUER_KEY, NOW)


def check(trust: Trust, signed: bytes, server: str | None = "bank", usage: Usage = Usage.REGISTRATION) -> Fault | None:
    """The rule that a certificate breaks; None: it is taken."""
    return fault_of(lambda: trust.check(signed, server, usage))


def fault_of(judge: Callable[[], Any]) -> Fault | None:
    try:
        judge()
    except OfficeError as error:
        return error.fault
    return None


@pytest.mark.clause("R3", "R9")
def test_a_certificate_of_the_issuer_is_taken_for_what_it_says() -> None:
    signed = SERVER.certificate().signed(ISSUER)
    assert TRUST.check(signed, "bank", Usage.REGISTRATION) == SERVER.certificate()
    assert check(TRUST, signed, server=None, usage=Usage.ENTITLEMENT) is None


@pytest.mark.clause("R4", "R9")
@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"server": "another-bank"}, Fault.OTHER_SERVER),
        ({"usages": (Usage.RELEASE,)}, Fault.OTHER_USAGE),
        ({"not_before": NOW + 1}, Fault.NOT_YET_VALID),
        ({"not_after": NOW - 1}, Fault.EXPIRED),
        ({"not_before": NOW}, None),
        ({"not_after": NOW}, None),
    ],
)
def test_each_rule_is_named(changes: dict[str, Any], fault: Fault | None) -> None:
    assert check(TRUST, SERVER.certificate(**changes).signed(ISSUER)) == fault


@pytest.mark.clause("R9")
@pytest.mark.parametrize("signer", [OTHER_ISSUER, SERVER.signing], ids=["another issuer", "itself"])
def test_nobody_but_the_issuer_makes_servers(signer: Any) -> None:
    assert check(TRUST, SERVER.certificate().signed(signer)) == Fault.WRONG_ISSUER


@pytest.mark.clause("R9")
def test_what_the_issuer_signed_as_something_else_is_no_certificate() -> None:
    payload = SERVER.certificate().octets()
    for label in Label:
        signed = sign1.sign(ISSUER, label, [], payload)
        expected = None if label is Label.SERVER_CERTIFICATE else Fault.WRONG_ISSUER
        assert check(TRUST, signed) == expected
    assert check(TRUST, sign1.sign(ISSUER, Label.SERVER_CERTIFICATE, ["more"], payload)) == Fault.WRONG_ISSUER


def test_what_the_issuer_should_not_have_signed_is_malformed() -> None:
    signed = sign1.sign(ISSUER, Label.SERVER_CERTIFICATE, [], SERVER.certificate(server="Bank").octets())
    assert check(TRUST, signed) == Fault.MALFORMED


@pytest.mark.clause("R9")
def test_every_flipped_bit_of_a_certificate_is_refused() -> None:
    signed = SERVER.certificate().signed(ISSUER)
    assert {check(TRUST, flipped) for flipped in bit_flips(signed)} == {Fault.WRONG_ISSUER}


@pytest.mark.clause("R27")
def test_every_flipped_bit_of_a_list_is_refused() -> None:
    signed = revocations(epochs={"bank": 3}).signed(ISSUER)
    faults = {fault_of(partial(TRUST.with_list, flipped)) for flipped in bit_flips(signed)}
    assert faults == {Fault.WRONG_ISSUER}


@pytest.mark.parametrize("read", [read_certificate, read_revocation_list])
@given(octets=st.binary(max_size=200))
def test_any_octets_are_refused_by_name(read: Callable[[bytes, bytes], Any], octets: bytes) -> None:
    assert fault_of(lambda: read(ISSUER_KEY, octets)) == Fault.WRONG_ISSUER


@pytest.mark.clause("R27")
def test_a_revoked_epoch_is_refused_and_the_next_one_taken() -> None:
    trust = TRUST.with_list(revocations(epochs={"bank": 4, "other": 9}).signed(ISSUER))
    assert check(trust, SERVER.certificate(epoch=3).signed(ISSUER)) == Fault.REVOKED
    assert check(trust, SERVER.certificate(epoch=4).signed(ISSUER)) is None


@pytest.mark.clause("R27")
def test_an_epoch_below_one_that_was_seen_is_refused() -> None:
    trust = TRUST.with_certificate(SERVER.certificate(epoch=4))
    assert check(trust, SERVER.certificate(epoch=3).signed(ISSUER)) == Fault.ROLLBACK
    assert check(trust, SERVER.certificate(epoch=4).signed(ISSUER)) is None
    assert check(trust, SERVER.certificate(server="other", epoch=1).signed(ISSUER), server="other") is None


@pytest.mark.clause("R27")
def test_who_signed_something_once_is_believed_until_revoked() -> None:
    """Newer keys that were seen do not matter for that; every other rule does."""
    signed = SERVER.certificate(epoch=3).signed(ISSUER)
    seen = TRUST.with_certificate(SERVER.certificate(epoch=4))
    assert seen.check_signer(signed, "bank", Usage.REGISTRATION).epoch == 3
    revoked = seen.with_list(revocations(epochs={"bank": 4}).signed(ISSUER))
    assert fault_of(lambda: revoked.check_signer(signed, "bank", Usage.REGISTRATION)) is Fault.REVOKED
    assert fault_of(lambda: seen.check_signer(signed, "other", Usage.REGISTRATION)) is Fault.OTHER_SERVER
    assert fault_of(lambda: seen.check_signer(signed, "bank", Usage.RELEASE)) is Fault.OTHER_USAGE
    assert fault_of(lambda: seen.at(NOW + 2 * DAY).check_signer(signed, "bank", Usage.REGISTRATION)) is Fault.EXPIRED


@pytest.mark.clause("R27")
@pytest.mark.parametrize(
    ("new", "fault"),
    [
        (revocations(4, {"bank": 3}), Fault.LIST_ROLLBACK),
        (revocations(5, {"bank": 4}), Fault.LIST_ROLLBACK),
        (revocations(6, {"bank": 2}), Fault.LIST_ROLLBACK),
        (revocations(6), Fault.LIST_ROLLBACK),
        (revocations(6, {"bank": 3}, until=NOW - 1), Fault.LIST_EXPIRED),
        (revocations(5, {"bank": 3}), None),
        (revocations(6, {"bank": 3}), None),
        (revocations(99, {"bank": 7, "other": 1}), None),
    ],
    ids=[
        "lower number", "same number, other content", "lower epoch", "server left out", "over",
        "the same", "next number", "more revoked",
    ],
)  # fmt: skip
def test_a_list_forgives_nothing(new: Any, fault: Fault | None) -> None:
    trust = TRUST.with_list(revocations(5, {"bank": 3}).signed(ISSUER))
    assert fault_of(lambda: trust.with_list(new.signed(ISSUER))) == fault


def test_time_never_goes_back() -> None:
    """A clock that somebody set back brings no old certificate to life."""
    trust = TRUST.at(NOW + 2 * DAY).at(0)
    assert trust.time == NOW + 2 * DAY
    assert check(trust, SERVER.certificate().signed(ISSUER)) == Fault.EXPIRED


def test_nothing_changes_when_something_is_refused() -> None:
    trust = TRUST.with_list(revocations(5, {"bank": 3}).signed(ISSUER))
    before = (trust.time, trust.revocations, dict(trust.epochs))
    fault_of(lambda: trust.with_list(revocations(4).signed(ISSUER)))
    check(trust, SERVER.certificate(epoch=1).signed(ISSUER))
    assert (trust.time, trust.revocations, trust.epochs) == before


@given(
    seen=st.lists(st.tuples(st.integers(1, 6), st.dictionaries(st.sampled_from(["bank", "shop"]), st.integers(0, 4))))
)
def test_numbers_and_epochs_of_taken_lists_only_go_up(seen: list[tuple[int, dict[str, int]]]) -> None:
    trust = TRUST
    for number, epochs in seen:
        old = trust.revocations
        signed = revocations(number, epochs).signed(ISSUER)
        if fault := fault_of(partial(trust.with_list, signed)):
            assert fault is Fault.LIST_ROLLBACK
            continue
        trust = trust.with_list(signed)
        if old is not None:
            assert old.number <= number
            assert all(epochs.get(server, 0) >= least for server, least in old.epochs.items())
