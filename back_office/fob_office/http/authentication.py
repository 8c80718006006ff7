"""Bearer tokens of operators (RFC 6750)."""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from fob_office.http.problems import ProblemError
from fob_office.office import Office
from fob_office.operators.service import find_token

_READS: Final = ("GET", "HEAD")


def authenticated(office: Office) -> Callable[..., None]:
    """A dependency for routes: who asks is `request.state.operator`, the token's name. Raises ProblemError."""
    bearer = HTTPBearer(auto_error=False, description="Made by `fob-office token add`.")

    def check(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        found = None
        if given is not None:
            with office.database.read() as session:
                found = find_token(session, given.credentials)
        if found is None:
            raise ProblemError(401, "a token is needed", {"WWW-Authenticate": "Bearer"})
        if request.method not in _READS and not found.may_change:
            raise ProblemError(403, "this token may read, and change nothing")
        request.state.operator = found.name

    return check
