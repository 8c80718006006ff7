"""Which copy is enabled at a use: the rules alone (docs/integrity-protocol.md, section 4)."""

import pytest
from msgspec.structs import replace

from fob_protocol.integrity.admission import Standing, is_graced, is_new, standing
from fob_protocol.integrity.held_copy import HeldCopy
from fob_protocol.integrity.validation import State
from support import copy_samples as sample
from support.office_trust import NOW, SERVER

MEASURED = bytes([7] * 32)


def copy(*, interval: int = 0, grace: int = 0, state: State | None = State.VALID) -> HeldCopy:
    """Received and validated NOW."""
    record = sample.copy_record()
    record = replace(record, policy=replace(record.policy, interval=interval, grace=grace))
    return HeldCopy(
        record.signed(SERVER.signing), b"certificate", sample.IDENTIFIER, NOW,
        state=state, validated=NOW, measured=MEASURED,
    )  # fmt: skip


@pytest.mark.clause("V16", "V17")
@pytest.mark.parametrize("later", [-3600, -1, 0, 1, 3600])
def test_an_interval_of_0_is_before_each_use_whatever_clocks_say(later: int) -> None:
    assert standing(copy(), NOW + later, is_validated_here=True) is Standing.ASK


@pytest.mark.clause("V17")
@pytest.mark.parametrize(
    ("later", "due"), [(0, Standing.ENABLED), (59, Standing.ENABLED), (60, Standing.ASK), (-1, Standing.ASK)]
)
def test_within_its_interval_nobody_is_asked_about_what_was_validated_since_the_start(
    later: int, due: Standing
) -> None:
    held = copy(interval=60)
    assert standing(held, NOW + later, is_validated_here=True) is due
    assert standing(held, NOW + later, is_validated_here=False) is Standing.ASK


@pytest.mark.clause("V16")
@pytest.mark.parametrize("later", [-3600, 0, 59, 60])
def test_grace_lasts_for_so_long_and_0_is_not_at_all(later: int) -> None:
    assert is_graced(copy(grace=60), NOW + later, MEASURED) == (later < 60)
    assert not is_graced(copy(), NOW + later, MEASURED)
    assert not is_graced(copy(grace=60), NOW + later, bytes(32))


@pytest.mark.clause("V16")
@pytest.mark.parametrize("later", [-3600, 0, 59, 60])
def test_a_first_validation_is_waited_for_no_longer_than_grace(later: int) -> None:
    assert is_new(copy(grace=60, state=None), NOW + later) == (later < 60)
    assert not is_new(copy(state=None), NOW + later)
