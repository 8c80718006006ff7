"""A release before it is signed: what an operator hands in, checked as a device would."""

from dataclasses import dataclass, field
from typing import Final

from fob_office.components.modules import wrong_with
from fob_office.errors import OperatorError
from fob_office.surroundings import Surroundings
from fob_protocol.cose.encrypt0 import IV_SIZE
from fob_protocol.office.component import Kind
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import CONTENT_LIMIT
from fob_protocol.office.message import Version, read
from fob_protocol.office.release import CONTENT_KEY_SIZE, Dependency, Release, chunk_digests, seal_content

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

    def sealed(self, surroundings: Surroundings, now: int) -> "SealedDraft":
        """Under a new key. Raises OperatorError for what no device would take."""
        if len(self.content) > CONTENT_LIMIT:
            why = f"{len(self.content)} octets are more than {CONTENT_LIMIT}"
            raise OperatorError(_NOT_ADDED, why, _HELP)
        key = surroundings.random(CONTENT_KEY_SIZE)
        content = seal_content(self.id, self.version, self.content, key, surroundings.random(IV_SIZE))
        return SealedDraft(self._release(content, now), key, content)

    def _release(self, sealed: bytes, now: int) -> Release:
        drafted = Release(
            self.id, self.version, self.title, self.kind, len(self.content), digest(self.content),
            self.security_counter, self.hardware, self.dependencies, self.commands,
            now + self.days * DAY, chunk_digests(sealed),
        )  # fmt: skip
        if self.commands and self.kind is not Kind.MODULE:
            raise OperatorError(_NOT_ADDED, "data has no commands", _HELP)
        if self.kind is Kind.MODULE and (why := wrong_with(self.content, has_commands=bool(self.commands))):
            raise OperatorError(_NOT_ADDED, why, _HELP)
        try:
            return read(Release, drafted.octets())
        except OfficeError as error:
            raise OperatorError(_NOT_ADDED, f"no device would read it: {error.why}", _HELP) from None


@dataclass(frozen=True, slots=True)
class SealedDraft:
    """A release that has to be signed; `content` is sealed under `key`."""

    release: Release
    key: bytes = field(repr=False)
    content: bytes = field(repr=False)
