"""What `fob-office centre status` says to people."""

import pytest

from fob_office.cli.centre.status import payout_words


@pytest.mark.clause("M29")
@pytest.mark.parametrize(
    ("count", "since", "words"),
    [
        (3, 1_800_000_000, {"payouts waiting": "3 (oldest since 2027-01-15T08:00:00Z)"}),
        (3, None, {"payouts waiting": "3"}),
        (0, None, {}),
        (None, None, {}),
    ],
)
def test_payouts_that_wait(count: int | None, since: int | None, words: dict[str, object]) -> None:
    log: dict[str, object] = {"payouts_waiting": count, "oldest_payout": since, "warnings": 0}
    assert payout_words(log) == words
    assert log == {"warnings": 0}
