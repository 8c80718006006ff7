"""Releases as an operator sees and adds them."""

from base64 import b64decode
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from fob_office.components.candidates import release_of
from fob_office.components.drafts import RELEASE_DAYS, Draft
from fob_office.components.service import SERVER
from fob_office.components.tables import ReleaseState, SignedRelease
from fob_office.components.versions import parse
from fob_office.words import WHOLE, Base64, Name, Title
from fob_protocol.office.component import Kind, words
from fob_protocol.office.limits import COMMANDS_LIMIT, DEPENDENCIES_LIMIT, HARDWARE_LIMIT
from fob_protocol.office.release import Dependency

_NUMBER = r"(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
VersionText = Annotated[str, Field(pattern=rf"^{_NUMBER}\.{_NUMBER}\.{_NUMBER}$", examples=["1.0.0"])]
CommandText = Annotated[str, Field(pattern=r"^X[A-Z0-9]{1,15}$", examples=["XRATE"])]
Hardware = Annotated[list[Name], Field(min_length=1, max_length=HARDWARE_LIMIT, examples=[["meter-1"]])]


class Need(BaseModel):
    """What has to be in the set, of this version or a higher one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    component: Name
    least: VersionText


class ReleaseView(BaseModel):
    """One release. Times are seconds since 1970."""

    id: int = Field(description="For paging.", examples=[1])
    component: str = Field(examples=["postage-rates"])
    version: str = Field(examples=["1.0.0"])
    title: str = Field(examples=["Postage rates"])
    kind: str = Field(description="`module` or `data`.", examples=["module"])
    state: str = Field(description="`available`, `staged` (for a rollout) or `withdrawn`.", examples=["available"])
    size: int = Field(description="Octets.", examples=[1024])
    digest: str = Field(description="SHA-256 of the content.", examples=["00" * 32])
    security_counter: int = Field(examples=[0])
    hardware: list[str] = Field(examples=[["meter-1"]])
    needs: list[Need]
    commands: list[str] = Field(examples=[["XRATE"]])
    until: int
    signer: str = Field(description="The server that signed it.", examples=["release"])
    epoch: int = Field(description="Of the signer's keys.", examples=[1])


class NewRelease(BaseModel):
    """A version is released once."""

    model_config = ConfigDict(extra="forbid", strict=True)

    component: Name
    version: VersionText
    title: Title
    kind: Literal["module", "data"]
    content: Base64
    hardware: Hardware
    needs: list[Need] = Field(default=[], max_length=DEPENDENCIES_LIMIT)
    commands: list[CommandText] = Field(default=[], max_length=COMMANDS_LIMIT)
    security_counter: Annotated[int, Field(ge=0, le=(1 << 53) - 1), WHOLE] = 0
    days: Annotated[int, Field(ge=1, le=4000, description="For so long devices may be given it."), WHOLE] = RELEASE_DAYS
    staged: bool = Field(default=False, description="Only a rollout brings it.")
    signer: Name = SERVER

    def draft(self) -> Draft:
        """Raises UsageError."""
        needed = tuple(Dependency(need.component, parse(need.least)) for need in self.needs)
        return Draft(
            self.component, parse(self.version), self.title, Kind[self.kind.upper()], b64decode(self.content),
            tuple(self.hardware), needed, tuple(self.commands), self.security_counter, self.days,
        )  # fmt: skip


class ShippedRequest(BaseModel):
    """For which devices."""

    model_config = ConfigDict(extra="forbid", strict=True)

    hardware: Hardware


class Added(BaseModel):
    """Ids of components."""

    components: list[str]


def release_view(row: SignedRelease) -> ReleaseView:
    """One line."""
    release = release_of(row.signed)
    return ReleaseView(
        id=row.id, component=release.id, version=words(release.version), title=release.title,
        kind=release.kind.name.lower(), state=ReleaseState(row.state).name.lower(), size=release.size,
        digest=release.digest.hex(), security_counter=release.security_counter, hardware=list(release.hardware),
        needs=[Need(component=needed.id, least=words(needed.least)) for needed in release.dependencies],
        commands=list(release.commands),
        until=release.until, signer=row.server, epoch=row.epoch,
    )  # fmt: skip
