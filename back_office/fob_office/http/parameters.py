"""Parts of paths and queries, as strict as what they name: PostgreSQL, for one, takes no NUL in a text."""

from typing import Annotated

from fastapi import Path, Query

from fob_office.paging import PAGE
from fob_protocol.office.limits import ID_LIMIT

# What programs know things by: servers, components, applications (fob_protocol.office.message.Name).
NamePath = Annotated[str, Path(pattern=rf"^[a-z0-9][a-z0-9.-]{{0,{ID_LIMIT - 1}}}$", examples=["registration"])]

# Of a list: those behind the last id that is known, and at most so many.
AfterId = Annotated[int, Query(ge=0, le=(1 << 53) - 1, description="The last id that is known.")]
PageSize = Annotated[int, Query(ge=1, le=PAGE)]
