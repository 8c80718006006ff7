"""Parts of paths, as strict as what they name: PostgreSQL, for one, takes no NUL in a text."""

from typing import Annotated

from fastapi import Path

from fob_protocol.office.limits import ID_LIMIT

# What programs know things by: servers, components, applications (fob_protocol.office.message.Name).
NamePath = Annotated[str, Path(pattern=rf"^[a-z0-9][a-z0-9.-]{{0,{ID_LIMIT - 1}}}$", examples=["registration"])]
