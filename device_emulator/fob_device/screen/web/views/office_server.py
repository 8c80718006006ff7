"""The page of a server: what the person may do there, and the form by which they register."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fob_device.overview.office import AskedField, Deed, OfficeOverview, OpenForm, RegisteredAt
from fob_device.screen.web.views.details import Detail
from fob_device.screen.web.views.office import Now, now_of
from fob_device.screen.web.words import clock, day_and_year
from fob_protocol.names import plain_name


@dataclass(frozen=True, slots=True)
class FieldItem:
    """What is filled in; `hint` says how much."""

    name: str
    label: str
    hint: str
    limit: int
    is_required: bool
    text: str


@dataclass(frozen=True, slots=True)
class ServerPage:
    """`levels`: what may be used there. `fields`: of the form that is open, none where none is."""

    server: str
    title: str
    now: Now | None
    notice: str
    registration: Sequence[Detail]
    levels: Sequence[Detail]
    form_title: str
    fields: Sequence[FieldItem]
    may_ask: bool
    may_give_up: bool


def server_page(office: OfficeOverview, server: str, *, is_connected: bool) -> ServerPage | None:
    """None for one that nobody knows."""
    registration = next((one for one in office.registrations if one.server == server), None)
    title = _title(office, registration, server)
    if title is None:
        return None
    form = office.form if office.form and office.form.server == server else None
    is_about_this = office.ended is not None and office.ended.server == server
    now = now_of(office, is_connected=is_connected)
    return ServerPage(
        server,
        plain_name(title),
        now if office.doing or now.words or (is_about_this and now.trouble) else None,
        _notice(office, server),
        _registration(registration) if registration else (),
        tuple(Detail(application, f"Level {level}") for application, level in registration.levels)
        if registration
        else (),
        plain_name(form.title) if form else "",
        _fields(form) if form and office.doing is None else (),
        office.doing is None,
        office.doing is not None,
    )


def _title(office: OfficeOverview, registration: RegisteredAt | None, server: str) -> str | None:
    listed = next((one.title for one in office.servers if one.server == server), None)
    return listed if listed is not None or registration is None else registration.title


def _notice(office: OfficeOverview, server: str) -> str:
    ended = office.ended
    is_done = ended and ended.deed is Deed.REGISTER and ended.server == server and not ended.refusal
    return "You are registered." if is_done else ""


def _registration(registration: RegisteredAt) -> Sequence[Detail]:
    details = [Detail("Registered as", plain_name(registration.name))]
    if not registration.is_active:
        details.append(Detail("State", "Revoked by who runs the server"))
    if registration.options:
        details.append(Detail("Options that come with it", ", ".join(registration.options)))
    if registration.until:
        moment = datetime.fromtimestamp(registration.until).astimezone()
        details.append(Detail("Told by the server, good until", f"{day_and_year(moment)}, {clock(moment)}"))
    return details


def _fields(form: OpenForm) -> Sequence[FieldItem]:
    return tuple(_field(field) for field in form.fields)


def _field(field: AskedField) -> FieldItem:
    hint = f"At most {field.limit} plain letters; others count as 2 to 4"
    return FieldItem(
        field.name,
        plain_name(field.label),
        hint if field.is_required else f"{hint}. May be left out",
        field.limit,
        field.is_required,
        field.text,
    )
