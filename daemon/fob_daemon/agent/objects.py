"""Finding and reading a token's objects through an Application."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from fob_daemon.agent.limits import FIND_BATCH, MAX_KEYS
from fob_daemon.cryptoki.interface import Application
from fob_protocol.pkcs11.attributes import Attributes, Template
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import SessionFlag


@contextmanager
def open_session(application: Application, slot: int) -> Iterator[int]:
    """A read-only session of its own. Raises CkrError."""
    session = application.open_session(slot, SessionFlag.SERIAL_SESSION)
    try:
        yield session
    finally:
        # A token that went away took the session with it.
        with suppress(CkrError):
            application.close_session(session)


def find_objects(application: Application, session: int, template: Template) -> list[int]:
    """The handles of what matches, at most MAX_KEYS. Raises CkrError."""
    application.find_objects_init(session, template)
    try:
        handles: list[int] = []
        while len(handles) < MAX_KEYS and (found := application.find_objects(session, FIND_BATCH)):
            handles += found
        return handles[:MAX_KEYS]
    finally:
        application.find_objects_final(session)


async def read_attributes(application: Application, session: int, handle: int, types: Sequence[int]) -> Attributes:
    """The attributes that the object has and shows. Raises CkrError."""
    answers = await application.get_attribute_values(session, handle, types)
    return {type_: value for type_, value in zip(types, answers, strict=True) if not isinstance(value, Ckr)}
