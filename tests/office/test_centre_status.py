"""What `fob-office centre status` says to people."""

import pytest

from fob_office.cli.centre.status import payment_words, payout_words


@pytest.mark.clause("M29")
@pytest.mark.parametrize(
    ("count", "since", "words"),
    [
        (3, 1_800_000_000, {"payouts waiting": "3 (oldest since 2027-01-15T08:00:00Z)"}),
        (3, None, {"payouts waiting": "3"}),
        (3, 1 << 53, {"payouts waiting": "3 (oldest since 9007199254740992)"}),
        (0, None, {}),
        (None, None, {}),
    ],
)
def test_payouts_that_wait(count: int | None, since: int | None, words: dict[str, object]) -> None:
    log: dict[str, object] = {"payouts_waiting": count, "oldest_payout": since, "warnings": 0}
    assert payout_words(log) == words
    assert log == {"warnings": 0}


@pytest.mark.clause("M29")
@pytest.mark.parametrize(("more", "words"), [(0, ""), (2, ", and 2 more")])
def test_money_that_did_not_come_in(more: int, words: str) -> None:
    waiting = {"serial": "FM01000000014", "number": 1, "amount": 1_150, "time": 1_800_000_000, "account": "00"}
    log: dict[str, object] = {"payments_waiting": [waiting] * (1 + more), "warnings": 0}
    said = f"of meter FM01000000014 since 2027-01-15T08:00:00Z{words}    (--json has all)"
    assert payment_words(log) == {"payments waiting": said}
    assert log == {"warnings": 0}
    assert payment_words({"payments_waiting": []}) == {}
