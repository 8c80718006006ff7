"""What a form may send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_device.screen.web.forms import FORM_TYPE, FormError, one_of, parse_form
from fob_device.screen.web.limits import FIELDS_LIMIT


def test_fields_come_as_they_were_typed() -> None:
    assert parse_form(FORM_TYPE, b"pin=1%202%26%C3%A4&page=") == {"pin": "1 2&\u00e4", "page": ""}
    assert parse_form(f"{FORM_TYPE}; charset=utf-8", b"a=1") == {"a": "1"}
    assert parse_form(FORM_TYPE, b"") == {}


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/form-data; boundary=x", "application/json"])
def test_other_bodies_are_refused(content_type: str) -> None:
    with pytest.raises(FormError):
        parse_form(content_type, b"answer=yes")


@pytest.mark.parametrize("body", [b"pin=1&pin=2", b"pin=%ff", b"pin=\xff", b"&".join([b"a=1"] * 9)])
def test_what_no_page_of_ours_sends_is_refused_without_repeating_it(body: bytes) -> None:
    with pytest.raises(FormError) as caught:
        parse_form(FORM_TYPE, body)
    assert "pin" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.binary(max_size=200) | st.text(alphabet="ab=&%0+;", max_size=40).map(str.encode))
def test_any_octets_are_fields_or_no_form(body: bytes) -> None:
    try:
        fields = parse_form(FORM_TYPE, body)
    except FormError:
        return
    assert len(fields) <= FIELDS_LIMIT
    assert all(isinstance(text, str) for field in fields.items() for text in field)


def test_a_choice_is_one_of_those_that_were_offered() -> None:
    assert one_of({"answer": "yes"}, "answer", ("yes", "no")) == "yes"
    for fields in ({"answer": "YES"}, {}):
        with pytest.raises(FormError, match="answer is one of yes, no"):
            one_of(fields, "answer", ("yes", "no"))
