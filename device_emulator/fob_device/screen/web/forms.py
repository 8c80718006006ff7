"""What a form sends."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from fob_device.screen.web.limits import FIELDS_LIMIT

FORM_TYPE = "application/x-www-form-urlencoded"


class FormError(ValueError):
    """This is no form of ours; the text says why, and holds nothing of what was sent."""


def parse_form(content_type: str, body: bytes) -> Mapping[str, str]:
    """The fields by name, each at most once. Raises FormError."""
    if content_type.partition(";")[0].strip().lower() != FORM_TYPE:
        raise FormError("a form is application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS_LIMIT, errors="strict")
    except ValueError:
        raise FormError("a form that cannot be read") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise FormError("a field twice")
    return fields


def one_of(fields: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """A field's value. Raises FormError for one that the page never sends."""
    value = fields.get(name, "")
    if value not in allowed:
        raise FormError(f"{name} is one of {', '.join(allowed)}")
    return value
