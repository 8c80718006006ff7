"""A release before it is signed: what an operator hands in, checked as a device would."""

from dataclasses import dataclass, field
from typing import Final

from fob_office.errors import OperatorError
from fob_protocol.office.component import Kind
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import CONTENT_LIMIT
from fob_protocol.office.message import Version, read
from fob_protocol.office.release import Dependency, Release, chunk_digests, seal_content

DAY: Final = 86_400
# Three years and a bit, as certificates.
RELEASE_DAYS: Final = 1200

_NOT_ADDED: Final = "the component was not added"
_HELP: Final = "fob-office component add --help"


@dataclass(frozen=True, slots=True)
class Draft:
    """`days` from now on a device may be given it."""

    id: str
    version: Version
    title: str
    kind: Kind
    content: bytes = field(repr=False)
    hardware: tuple[str, ...]
    dependencies: tuple[Dependency, ...] = ()
    commands: tuple[str, ...] = ()
    security_counter: int = 0
    days: int = RELEASE_DAYS

    def sealed(self, key: bytes, iv: bytes) -> bytes:
        """The content as it crosses the net. Raises OperatorError when it is too large."""
        if len(self.content) > CONTENT_LIMIT:
            why = f"{len(self.content)} octets are more than {CONTENT_LIMIT}"
            raise OperatorError(_NOT_ADDED, why, _HELP)
        return seal_content(self.id, self.version, self.content, key, iv)

    def release(self, sealed: bytes, now: int) -> Release:
        """Raises OperatorError for what no device would take."""
        drafted = Release(
            self.id, self.version, self.title, self.kind, len(self.content), digest(self.content),
            self.security_counter, self.hardware, self.dependencies, self.commands,
            now + self.days * DAY, chunk_digests(sealed),
        )  # fmt: skip
        if self.commands and self.kind is not Kind.MODULE:
            raise OperatorError(_NOT_ADDED, "data has no commands", _HELP)
        try:
            return read(Release, drafted.octets())
        except OfficeError as error:
            raise OperatorError(_NOT_ADDED, f"no device would read it: {error.why}", _HELP) from None
