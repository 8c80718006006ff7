"""What a form sends."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

_TYPE: Final = "application/x-www-form-urlencoded"
# Octets and fields: ours have a token, or a few words.
_LIMIT: Final = 2048
_FIELDS_LIMIT: Final = 4


class FormError(ValueError):
    """This is no form of ours; the text holds nothing of what was sent."""


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields by name. Raises FormError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise FormError("A form is application/x-www-form-urlencoded.")
    body = await request.body()
    if len(body) > _LIMIT:
        raise FormError("A form is not so long.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS_LIMIT, errors="strict")
    except ValueError:
        raise FormError("A form that cannot be read.") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise FormError("A field twice.")
    return fields
