"""Programs as an operator sees them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from fob_office.programs.programs import Program, program_of_installation
from fob_office.programs.service import Change, program_of
from fob_office.programs.settings import Setting, setting_of
from fob_office.programs.tables import StoredInstallation
from fob_office.words import WHOLE
from fob_protocol.integrity.method import Embedder, Technique, Variant
from fob_protocol.office.component import words
from fob_protocol.office.message import Version

_MOST = 400 * 86_400
Seconds = Annotated[int, Field(ge=0, le=_MOST), WHOLE]
Lifetime = Annotated[int, Field(ge=1, le=_MOST), WHOLE]
TechniqueText = Annotated[str, Field(pattern=r"^D[1-7]$", examples=["D7"])]
EmbedderText = Annotated[str, Field(pattern=r"^(distributor|tool)$", examples=["distributor"])]
VariantText = Annotated[str, Field(pattern=r"^VA-[1-7]$", examples=["VA-7"])]


class InstallationView(BaseModel):
    """One installation."""

    id: int = Field(description="For paging.", examples=[1])
    program: str = Field(examples=["fobd"])
    version: str = Field(examples=["1.0.0"])
    state: str = Field(description="`available`, or `withdrawn`: new copies are disabled.", examples=["available"])
    size: int = Field(description="Octets.", examples=[1024])
    digest: str = Field(description="SHA-256 of all its octets.", examples=["00" * 32])
    added: int = Field(description="Seconds since 1970.")


class SettingView(BaseModel):
    """How copies are made from now on, and for how many seconds their tickets are good."""

    technique: TechniqueText
    embedder: EmbedderText
    variant: VariantText
    lifetime: int = Field(description="Of a ticket.", examples=[86_400])
    interval: int = Field(description="How old the last VAL_OK may be at a use; 0: each use has its own.", examples=[0])
    grace: int = Field(description="So long a copy goes on while the server is away.", examples=[0])
    rolls: bool = Field(description="Whether the identifier changes with each VAL_OK.")


class ProgramView(SettingView):
    """One program: a release, or an installation."""

    program: str = Field(examples=["postage-rates"])
    version: str = Field(examples=["1.0.0"])
    kind: str = Field(description="`component` or `installation`.", examples=["component"])
    size: int = Field(description="Octets.", examples=[1024])
    digest: str = Field(description="SHA-256 of the program.", examples=["00" * 32])


class ChangedSetting(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", strict=True)

    technique: TechniqueText | None = None
    embedder: EmbedderText | None = None
    variant: VariantText | None = None
    lifetime: Lifetime | None = None
    interval: Seconds | None = None
    grace: Seconds | None = None
    rolls: bool | None = None

    def change(self) -> Change:
        """As the rules have it."""
        return change_of(
            self.technique, self.embedder, self.variant,
            lifetime=self.lifetime, interval=self.interval, grace=self.grace, rolls=self.rolls,
        )  # fmt: skip


def change_of(
    technique: str | None, embedder: str | None, variant: str | None,
    *, lifetime: int | None, interval: int | None, grace: int | None, rolls: bool | None,
) -> Change:  # fmt: skip
    """Out of the words that operators use."""
    return Change(
        Technique[technique] if technique else None,
        Embedder[embedder.upper()] if embedder else None,
        Variant[variant.replace("-", "_")] if variant else None,
        lifetime, interval, grace, rolls,
    )  # fmt: skip


def installation_view(row: StoredInstallation) -> InstallationView:
    """One line."""
    program = program_of_installation(row)
    return InstallationView(
        id=row.id, program=program.name, version=words(program.version),
        state="withdrawn" if program.is_withdrawn else "available", size=program.size, digest=program.digest.hex(),
        added=row.added,
    )  # fmt: skip


def program_view(session: Session, name: str, version: Version) -> ProgramView:
    """Raises NotFoundError."""
    program = program_of(session, name, version)
    shown = setting_view(setting_of(session, program)).model_dump()
    return ProgramView(
        program=program.name, version=words(version), kind=_kind(program), size=program.size,
        digest=program.digest.hex(), **shown,
    )  # fmt: skip


def setting_view(setting: Setting) -> SettingView:
    """As an operator says it."""
    method, policy = setting.method, setting.policy
    return SettingView(
        technique=method.technique.name, embedder=method.embedder.name.lower(),
        variant=method.variant.name.replace("_", "-"),
        lifetime=policy.lifetime, interval=policy.interval, grace=policy.grace, rolls=policy.rolls,
    )  # fmt: skip


def _kind(program: Program) -> str:
    return "component" if program.release is not None else "installation"
