"""Loaded by schemathesis (SCHEMATHESIS_HOOKS): COSE is octets."""

from typing import Any

import schemathesis
from schemathesis import SerializationContext


@schemathesis.serializer("application/cose")
def cose(_: SerializationContext, value: Any) -> Any:
    """As they are."""
    return value
