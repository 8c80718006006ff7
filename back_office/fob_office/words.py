"""What operators may call things, and how much: as devices read them (`fob_protocol.office.message`)."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field
from pydantic.config import JsonDict

from fob_protocol.office.limits import ID_LIMIT, TITLE_LIMIT


def _whole(value: object) -> object:
    """To JSON Schema 96.0 is an integer too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE: Final = BeforeValidator(_whole)

# Of a mapping whose names have a pattern: JSON Schema would let others through.
NO_OTHER_NAMES: Final[JsonDict] = {"additionalProperties": False}

# Servers, applications, fields, components.
Name = Annotated[str, Field(pattern=rf"^[a-z0-9][a-z0-9.-]{{0,{ID_LIMIT - 1}}}$", examples=["reports"])]
# What people read: one line.
Title = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", max_length=TITLE_LIMIT)]
# What a person may do at an application: more is more.
Level = Annotated[int, Field(ge=1, le=255), WHOLE]
LevelOrNone = Annotated[int, Field(ge=0, le=255), WHOLE]
# RFC 4648, with its padding.
Base64 = Annotated[
    str, Field(pattern=r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$", examples=["OTUgY2VudHM="])
]
# 16 octets: user identification codes and key ids; 32: digests.
Hex16 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", examples=["00112233445566778899aabbccddeeff"])]
Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=["00" * 32])]
