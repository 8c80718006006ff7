"""Copies as an operator sees them: no identifier, nothing secret."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.components.versions import unpack
from fob_office.components.views import VersionText
from fob_office.devices.tables import Device
from fob_office.distribution.keeping import record_of
from fob_office.distribution.tables import Copy, Holder
from fob_office.programs.settings import Setting
from fob_office.programs.views import TechniqueText, setting_view
from fob_office.words import Hex16, Name
from fob_protocol.cose.headers import key_id
from fob_protocol.integrity.validation import State
from fob_protocol.office.component import words

StateWord = Literal["valid", "invalid", "cloned", "disabled"]


class CopyView(BaseModel):
    """One copy. Times are seconds since 1970."""

    id: int = Field(description="For paging.", examples=[1])
    number: Hex16 = Field(description="The copy's public name.")
    program: str = Field(examples=["postage-rates"])
    version: str = Field(examples=["1.0.0"])
    holder: Hex16 = Field(description="Key id of who signs for it.")
    device: str | None = Field(description="Serial, if that is a device.", examples=["M-0001"])
    state: StateWord
    current: bool = Field(description="No other one is in its place.")
    requests: int = Field(description="PSI: how many have been counted.", examples=[0])
    validated: int | None = Field(description="When it last had a VAL_OK.")
    created: int


class CopyDetails(CopyView):
    """With how it is measured, and what an operator has said."""

    technique: TechniqueText
    embedder: str = Field(examples=["distributor"])
    variant: str = Field(examples=["VA-7"])
    lifetime: int
    interval: int
    grace: int
    rolls: bool
    validation_server: str = Field(examples=["integrity"])
    answers: int = Field(description="VSSI: how many VAL_OK it has had.", examples=[0])
    reissued: bool = Field(description="Its holder gets another one when it asks next.")
    resynchronised: bool = Field(description="Its holder's next request says where it stands.")


class LetterRequest(BaseModel):
    """For which program; a technique by which the tool embeds, or that of the program."""

    model_config = ConfigDict(extra="forbid", strict=True)

    program: Name
    version: VersionText
    technique: TechniqueText | None = None


class LetterView(BaseModel):
    """Shown once."""

    letter: Annotated[str, Field(description="56 characters in groups of four.")]


def copy_views(session: Session, rows: Sequence[Copy]) -> list[CopyView]:
    """In their order."""
    holders = _holders(session, rows)
    return [CopyView.model_validate(_line(row, holders)) for row in rows]


def copy_details(session: Session, row: Copy) -> CopyDetails:
    """One of them."""
    told = record_of(row)
    setting = setting_view(Setting(told.method, told.policy)).model_dump()
    return CopyDetails.model_validate(
        _line(row, _holders(session, [row])) | setting | {
            "validation_server": told.validation_server, "answers": row.server_number,
            "reissued": row.is_reissued and row.is_current,
            "resynchronised": row.is_resynchronised and row.is_current,
        }
    )  # fmt: skip


def _holders(session: Session, rows: Sequence[Copy]) -> dict[int, tuple[bytes, str | None]]:
    """Keys and serials of those who hold these."""
    query = select(Holder.id, Holder.key, Device.serial).outerjoin(Device, Device.signing_key == Holder.key)
    found = session.execute(query.where(Holder.id.in_({row.holder for row in rows})))
    return {row: (key, serial) for row, key, serial in found}


def _line(row: Copy, holders: dict[int, tuple[bytes, str | None]]) -> dict[str, object]:
    key, serial = holders[row.holder]
    return {
        "id": row.id, "number": row.number.hex(), "program": row.program, "version": words(unpack(row.version)),
        "holder": key_id(key).hex(), "device": serial, "state": State(row.state).name.lower(),
        "current": row.is_current, "requests": row.program_number, "validated": row.validated, "created": row.created,
    }  # fmt: skip
