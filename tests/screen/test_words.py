"""Times as the screen says them."""

import pytest

from fob_device.screen.web.words import countdown, duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"), (59.0, "59 seconds"), (60, "1 minute"), (61, "2 minutes"), (3_540, "59 minutes"),
        (3_541, "1 hour"), (3_600, "1 hour"), (3_601, "61 minutes"), (7_199, "120 minutes"), (7_200, "2 hours"),
        (28_800, "8 hours"),
    ],
)  # fmt: skip
def test_a_duration_is_never_said_too_short(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(0, "0"), (59.1, "60"), (99, "99"), (100, "1:40"), (300, "5:00")])
def test_a_countdown(seconds: float, words: str) -> None:
    assert countdown(seconds) == words
