"""What a server asks for to register: set by the operator, signed for devices (R11)."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy.orm import Session

from fob_office.registration.tables import RegistrationTemplate
from fob_office.servers.identity import Identity
from fob_office.words import NO_OTHER_NAMES, WHOLE, Level, Name, Title
from fob_protocol.cose import sign1
from fob_protocol.cose.labels import Label
from fob_protocol.office import registration
from fob_protocol.office.limits import COMPONENTS_LIMIT, ENTITLEMENTS_LIMIT, FIELD_LIMIT, FIELDS_LIMIT, PATH_LIMIT
from fob_protocol.office.registration import NAME, Form, Template

# A template is good until the end of the day after: whoever is filling it in at midnight sends it all the same.
_DAY: Final = 86_400
_DAYS: Final = 2

GENERAL: Final = "general"
Registrants = Literal["known", "anybody"]
_FORMS: Final = {"full": Form.FULL, "reduced": Form.REDUCED}


class FieldSetting(BaseModel):
    """Something to fill in; `limit` in octets of UTF-8."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    label: Title = Field(examples=["Contract number"])
    limit: Annotated[int, Field(ge=1, le=FIELD_LIMIT, examples=[32]), WHOLE]
    required: bool = False


_NAME_FIELD: Final = FieldSetting(label="Name", limit=64, required=True)


class TemplateSetting(BaseModel):
    """What a server asks for, and what a person who is registered there has from the first moment on."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    application: Name = Field(examples=["banking"])
    title: Title = Field(examples=["Open banking on this device"])
    # One less: the name is always asked for.
    fields: dict[Name, FieldSetting] = Field(
        default={},
        max_length=FIELDS_LIMIT - 1,
        description="In their order. The field `name` is there anyway.",
        json_schema_extra=NO_OTHER_NAMES,
    )
    form: Literal["full", "reduced"] = Field(
        default="full", description="`full`: a secret of each side makes the key. `reduced`: only the device's."
    )
    registrants: Registrants = Field(
        default="known",
        description="Whose devices: those with an active record at this office, or `anybody` who can reach it.",
    )
    access_path: Annotated[str, Field(pattern=r"^[!-~]+$", max_length=PATH_LIMIT)] = "/v1/session"
    applications: dict[Name, Level] = Field(
        default={}, max_length=ENTITLEMENTS_LIMIT, description="Levels at once.", json_schema_extra=NO_OTHER_NAMES
    )
    components: list[Name] = Field(default=[], max_length=COMPONENTS_LIMIT, description="Options at once.")

    @property
    def asked(self) -> dict[str, FieldSetting]:
        """All fields, the name among them."""
        name = self.fields.get(NAME, _NAME_FIELD).model_copy(update={"required": True})
        return {NAME: name} | {field: setting for field, setting in self.fields.items() if field != NAME}

    def template(self, server: str, now: int) -> Template:
        """As devices read it on this day."""
        fields = tuple(
            registration.Field(name, field.label, field.limit, field.required) for name, field in self.asked.items()
        )
        return Template(
            server, self.application, self.title, fields, _FORMS[self.form], now - now % _DAY + _DAYS * _DAY
        )


@cache
def presets() -> dict[str, TemplateSetting]:
    """Those that come with Fob, by name."""
    entries = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
    return TypeAdapter(dict[str, TemplateSetting]).validate_python(entries)


def setting_of(session: Session, server: str) -> TemplateSetting:
    """What is asked for at a server; until an operator says more, a name."""
    row = session.get(RegistrationTemplate, server)
    return TemplateSetting.model_validate_json(row.setting) if row is not None else presets()[GENERAL]


def wrong_fields(setting: TemplateSetting, given: Mapping[str, str]) -> list[str]:
    """Names of those that are not asked for, too long, or missing."""
    asked = setting.asked
    return (
        [name for name in given if name not in asked]
        + [name for name, text in given.items() if name in asked and len(text.encode()) > asked[name].limit]
        + [name for name, field in asked.items() if field.required and not given.get(name, "").strip()]
    )


def signed_template(setting: TemplateSetting, server: Identity, now: int) -> bytes:
    """The same octets for everybody on one day."""
    octets = setting.template(server.name, now).octets()
    return sign1.sign(server.signing_key, Label.REGISTRATION_TEMPLATE, [], octets)


def good_templates(setting: TemplateSetting, server: Identity, now: int) -> list[bytes]:
    """All that a device may have been given and are not over, the newest first."""
    return [signed_template(setting, server, now - days * _DAY) for days in range(_DAYS)]
