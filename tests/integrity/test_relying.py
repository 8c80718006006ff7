"""A relying party admits a validated program whose holder shows it, and refuses everything else by its name (V18)."""

from typing import Any

import pytest

from fob_protocol.integrity.limits import CLOCK_SKEW, PRESENTATION_LIMIT
from fob_protocol.integrity.presentation import Presentation
from fob_protocol.integrity.relying import NotAdmitted, NotAdmittedError, RelyingParty
from support import copy_samples as sample
from support.office_trust import DAY, NOW, SERVER

PARTY = RelyingParty(sample.public(SERVER.signing), greatest_age=3600, programs={"calculator": (1, 3, 0)})


def refusal(presentation: bytes, now: int = NOW, party: RelyingParty = PARTY, **request: Any) -> NotAdmitted | None:
    """Its code; None: admitted."""
    asked = {"audience": sample.AUDIENCE, "nonce": sample.NONCE} | request
    try:
        party.admit(presentation, now=now, **asked)
    except NotAdmittedError as error:
        return error.code
    return None


def shown(**changes: Any) -> bytes:
    """A ticket with these changes, by the right server and holder."""
    return sample.presentation(sample.ticket(**changes).signed(SERVER.signing))


@pytest.mark.clause("V12", "V18")
def test_a_validated_program_is_admitted() -> None:
    assert PARTY.admit(shown(), sample.AUDIENCE, sample.NONCE, NOW) == sample.ticket()
    assert PARTY.verify(sample.ticket().signed(SERVER.signing), NOW) == sample.ticket()


@pytest.mark.clause("V14", "V18")
@pytest.mark.parametrize(
    ("now", "code"),
    [
        (NOW - CLOCK_SKEW - 1, NotAdmitted.NOT_YET_VALID),
        (NOW - CLOCK_SKEW, None),
        (NOW, None),
        (NOW + 3600, None),
        (NOW + 3601, NotAdmitted.TOO_OLD),
        (NOW + DAY + CLOCK_SKEW, NotAdmitted.TOO_OLD),
        (NOW + DAY + CLOCK_SKEW + 1, NotAdmitted.EXPIRED),
    ],
)
def test_the_date_decides(now: int, code: NotAdmitted | None) -> None:
    assert refusal(shown(), now) == code


@pytest.mark.clause("V14", "V18")
def test_a_short_lifetime_ends_before_the_greatest_age() -> None:
    presentation = shown(until=NOW + 600)
    assert refusal(presentation, NOW + 600 + CLOCK_SKEW) is None
    assert refusal(presentation, NOW + 601 + CLOCK_SKEW) == NotAdmitted.EXPIRED


@pytest.mark.clause("V18")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": (1, 2, 255)}, NotAdmitted.OTHER_PROGRAM),
        ({"version": (1, 3, 0)}, None),
        ({"version": (2, 0, 0)}, None),
        ({"program": "meter"}, NotAdmitted.OTHER_PROGRAM),
    ],
)
def test_which_programs_it_admits(changes: dict[str, Any], code: NotAdmitted | None) -> None:
    assert refusal(shown(**changes)) == code
    assert refusal(shown(**changes), party=RelyingParty(PARTY.server, PARTY.greatest_age)) is None


@pytest.mark.clause("V12", "V18")
def test_a_ticket_of_another_server() -> None:
    token = sample.ticket().signed(sample.OTHER_SERVER)
    assert refusal(sample.presentation(token)) == NotAdmitted.WRONG_SIGNATURE
    assert refusal(shown(), party=RelyingParty(sample.public(sample.OTHER_SERVER), 3600)) == NotAdmitted.WRONG_SIGNATURE


@pytest.mark.clause("V18")
def test_a_stolen_ticket() -> None:
    """Who only copied it cannot show it; nor with a ticket that he made for himself."""
    token = sample.ticket().signed(SERVER.signing)
    assert refusal(sample.presentation(token, sample.THIEF)) == NotAdmitted.WRONG_HOLDER
    own = sample.ticket(holder=sample.public(sample.THIEF)).signed(sample.THIEF)
    assert refusal(sample.presentation(own, sample.THIEF)) == NotAdmitted.WRONG_SIGNATURE


@pytest.mark.clause("V18")
def test_a_presentation_for_somebody_else() -> None:
    """A relying party cannot pass on what was shown to it."""
    assert refusal(shown(), audience="other.example") == NotAdmitted.WRONG_HOLDER


@pytest.mark.clause("V14", "V18")
def test_a_presentation_that_is_replayed() -> None:
    """For the next request there is another nonce."""
    assert refusal(shown()) is None
    assert refusal(shown(), nonce=bytes(32)) == NotAdmitted.WRONG_HOLDER


@pytest.mark.clause("V18")
def test_audience_and_nonce_do_not_run_together() -> None:
    signed = Presentation(sample.ticket().signed(SERVER.signing)).signed(sample.HOLDER, "ab", b"c" * 16)
    assert refusal(signed, audience="ab", nonce=b"c" * 16) is None
    assert refusal(signed, audience="abc", nonce=b"c" * 16) == NotAdmitted.WRONG_HOLDER
    assert refusal(signed, audience="a", nonce=b"b" + b"c" * 16) == NotAdmitted.WRONG_HOLDER


@pytest.mark.clause("V18")
def test_a_ticket_in_the_presentation_of_another_one() -> None:
    """Tickets of one holder cannot be exchanged under a signature."""
    fresh, old = sample.ticket().signed(SERVER.signing), sample.ticket(time=NOW - 10).signed(SERVER.signing)
    assert len(fresh) == len(old)
    assert refusal(sample.presentation(old).replace(old, fresh)) == NotAdmitted.WRONG_HOLDER


def test_what_is_no_presentation() -> None:
    token = sample.ticket().signed(SERVER.signing)
    assert refusal(b"") == NotAdmitted.MALFORMED
    assert refusal(token) == NotAdmitted.MALFORMED
    assert refusal(bytes(PRESENTATION_LIMIT + 1)) == NotAdmitted.TOO_LARGE
    assert refusal(sample.presentation(b"")) == NotAdmitted.MALFORMED
    assert refusal(sample.presentation(token + b"\0")) == NotAdmitted.MALFORMED
