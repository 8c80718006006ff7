"""What an operator got wrong is said in words, and not in patterns."""

import pytest

from fob_protocol.office.component import Kind
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read
from fob_protocol.office.patterns import in_words
from fob_protocol.office.release import Release


@pytest.mark.parametrize(
    ("name", "command", "why"),
    [
        ("Postage_Table", "XRATE", "a name is small letters, digits, dots and dashes, at most 32"),
        ("postage", "AT+H", "a command is an X and one to 15 capital letters and digits"),
    ],
)
def test_a_component_that_is_called_wrongly(name: str, command: str, why: str) -> None:
    release = Release(
        name, (1, 0, 0), "Title", Kind.MODULE, 1, bytes(32), 0, ("meter-1",), (), (command,), 1, (bytes(32),)
    )
    with pytest.raises(OfficeError, match=why) as raised:
        read(Release, release.octets())
    assert "regex" not in raised.value.why


def test_what_else_is_wrong_is_said_as_it_is() -> None:
    assert in_words("Expected `int`, got `str`") == "Expected `int`, got `str`"
    assert in_words("Expected `str` matching regex 'x+'") == "Expected `str` matching regex 'x+'"
