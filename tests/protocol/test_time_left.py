"""How long it still takes, by the steps that were seen."""

import pytest

from fob_protocol.time_left import STEPS_KEPT, TimeLeft, about


def watched(*steps: tuple[float, int], total: int = 10) -> TimeLeft:
    """After so many of `total` at each time."""
    left = TimeLeft()
    for now, done in steps:
        left.note(done, total, now)
    return left


def test_nobody_can_tell_before_the_first_step() -> None:
    assert TimeLeft().seconds(0.0) is None
    assert watched((5.0, 3)).seconds(5.0) is None
    assert watched((0.0, 0), (5.0, 0), total=0).seconds(5.0) is None


def test_every_step_counts_down() -> None:
    left = watched((0.0, 0), (9.0, 1), (18.0, 2))
    assert left.seconds(18.0) == 72.0
    assert left.seconds(22.0) == 68.0
    # A step that takes longer than the others does not make the rest shorter.
    assert left.seconds(90.0) == 63.0
    left.note(3, 10, 90.0)
    assert left.seconds(90.0) == 63.0


def test_several_steps_between_two_looks() -> None:
    assert watched((0.0, 0), (1.0, 4)).seconds(1.0) == 1.5


def test_what_begins_in_the_middle_counts_what_it_has_seen() -> None:
    """A device that was away goes on where it was."""
    assert watched((100.0, 5), (109.0, 6)).seconds(109.0) == 36.0


def test_a_pause_is_one_long_step_among_others() -> None:
    left = watched((0.0, 0), (9.0, 1), (18.0, 2), (318.0, 3), (327.0, 4))
    assert left.seconds(327.0) == 54.0


def test_a_line_that_gets_slower_is_believed() -> None:
    left = TimeLeft()
    for step in range(20):
        left.note(step, 100, 1.0 * step)
    for step in range(20, 20 + STEPS_KEPT):
        left.note(step, 100, 20.0 + 10.0 * (step - 19))
    assert left.seconds(20.0 + 10.0 * STEPS_KEPT) == 730.0


def test_another_total_or_a_step_back_begins_anew() -> None:
    for done, total in ((0, 20), (1, 10)):
        left = watched((0.0, 0), (9.0, 1), (18.0, 2))
        left.note(done, total, 20.0)
        assert left.seconds(20.0) is None


def test_at_the_end_nothing_is_left() -> None:
    assert watched((0.0, 8), (1.0, 9), (2.0, 10)).seconds(2.0) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "a few seconds left"), (9.9, "a few seconds left"), (10, "about 10 s left"), (10.1, "about 20 s left"),
        (50, "about 50 s left"), (51, "about 1 min left"), (61, "about 2 min left"), (5940, "about 99 min left"),
        (5941, "about 2 h left"), (7201, "about 3 h left"),
    ],
)  # fmt: skip
def test_in_words(seconds: float, words: str) -> None:
    assert about(seconds) == words
