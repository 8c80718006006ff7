"""What is refused is tried again later and later, and its trouble is said once."""

from itertools import pairwise

from fob_office.centre.function.patience import FIRST_PAYOUT_PAUSE, LONGEST_PAYOUT_PAUSE, REMEMBERED, Patience
from fob_office.centre.function.said import SAID_LIMIT, Said


def test_each_has_its_own_pause_which_doubles_up_to_an_hour() -> None:
    patience = Patience()
    tried = []
    for now in range(5 * LONGEST_PAYOUT_PAUSE):
        if patience.is_due(1, now):
            tried.append(now)
            assert patience.refused(1, "refused", now) == (len(tried) == 1)
        assert patience.is_due(2, now)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses[:4] == [FIRST_PAYOUT_PAUSE, 4, 8, 16]
    assert max(pauses) == LONGEST_PAYOUT_PAUSE == pauses[-1]


def test_another_trouble_is_said_and_what_is_done_begins_anew() -> None:
    patience = Patience()
    assert [patience.refused(1, trouble, 0) for trouble in ("a", "a", "b", "b")] == [True, False, True, False]
    patience.done(1)
    assert patience.is_due(1, 0)
    assert patience.refused(1, "b", 0)


def test_a_clock_that_was_put_back_holds_up_nothing() -> None:
    patience = Patience()
    patience.refused(1, "refused", 1_000_000)
    assert not patience.is_due(1, 1_000_001)
    assert patience.is_due(1, 999)


def test_only_so_many_are_remembered() -> None:
    patience, said = Patience(), Said()
    for number in range(1, REMEMBERED + 1):
        assert patience.refused(number, "refused", 0)
    # The others are tried once in an hour, each at its time: none of the first is forgotten, and one line is said.
    beyond = range(REMEMBERED + 1, REMEMBERED + 4)
    assert [patience.refused(number, "refused", 0) for number in beyond] == [True, False, False]
    for number in beyond:
        tried = [now for now in range(2 * LONGEST_PAYOUT_PAUSE) if patience.is_due(number, now)]
        assert len(tried) == 2 * FIRST_PAYOUT_PAUSE
    assert patience.is_due(beyond[-1] + 1, 1)
    assert not patience.is_due(1, 1)
    for number in range(SAID_LIMIT + 1):
        assert said.is_new(number, "refused")
    assert [said.is_new(number, "refused") for number in (SAID_LIMIT, 0)] == [False, True]
