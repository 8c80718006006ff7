"""The commands of docs/protocol.md, section 4.3, and those of components."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from fob_device.integrity.commands import HANDLERS as INTEGRITY
from fob_device.integrity.uses import read_component, run_component
from fob_device.metering.commands import HANDLERS as METERING
from fob_device.office.back_office import BackOffice
from fob_device.office.naming import named
from fob_device.security.back_office import Handler
from fob_device.security.context import Context
from fob_device.security.pad_logins import user_master_key
from fob_device.security.values import octets, text, whole
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Values
from fob_protocol.errors import AtSyntaxError
from fob_protocol.names import plain_name
from fob_protocol.office.certificate import Usage
from fob_protocol.office.component import words
from fob_protocol.office.configuration import Purpose
from fob_protocol.office.entitlements import State, Use
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from fob_protocol.office.release import Release
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

OfficeHandler = Callable[[BackOffice, Context, Values], Awaitable[Answer]]


async def tell_office(office: BackOffice, context: Context, values: Values) -> Answer:
    """+FOBOFFICE."""
    record, told = office.machine.boot.record, office.progress.now
    device = office.device
    return Answer(
        (
            (
                device.serial, device.hardware, record.set_number, record.security_counter, office.state, office.words,
                told.done, told.total,
            ),
        )
    )  # fmt: skip


async def configure(office: BackOffice, context: Context, values: Values) -> Answer:
    """+FOBCONFIGURE."""
    number = whole(values[0])
    if number not in set(Purpose):
        raise CkrError(Ckr.ARGUMENTS_BAD, f"no purpose {number}")
    with named():
        await office.configure(Purpose(number))
    return Answer()


async def list_servers(office: BackOffice, context: Context, values: Values) -> Answer:
    """+FOBSERVERS."""
    registered = {registration.server: registration for registration in office.store.registrations()}
    lines = []
    for server in office.talker.known.listed(Usage.REGISTRATION):
        mine = registered.get(server.server)
        application, name = (mine.application, mine.name) if mine else ("", "")
        lines.append((server.server, server.title, application, int(mine is not None), name))
    return Answer(tuple(lines))


async def register(office: BackOffice, context: Context, values: Values) -> Answer:
    """+FOBREGISTER: what is asked for, or a registration."""
    server, fields = text(values[0]), _fields(whole(values[1]), values[2:])
    await _check_server(office, server)
    master_key = await user_master_key(context, f"register at {plain_name(server)}")
    with named():
        if fields:
            await office.register(server, fields, master_key)
            return Answer()
        template = await office.template(server)
    lines = [(field.name, field.label, field.limit, int(field.is_required)) for field in template.fields]
    return Answer(((template.title, int(template.form)), *lines))


async def tell_entitlements(office: BackOffice, context: Context, values: Values) -> Answer:
    """+FOBENTITLED: as the server told last."""
    registration = office.store.registration(text(values[0]))
    if registration is None:
        raise CkrError(Ckr.ARGUMENTS_BAD, f"not registered at {plain_name(text(values[0]))}")
    held = registration.entitlements
    if held is None:
        return Answer(((0, int(State.ACTIVE), 0),))
    return Answer(((held.version, int(held.state), held.until, held.issued), *sorted(held.applications.items())))


async def use(office: BackOffice, context: Context, values: Values) -> Answer:
    """+FOBUSE."""
    server, application, path = (text(value) for value in values[:3])
    _check_use(application, path, octets(values[3]))
    master_key = await user_master_key(context, f"use {plain_name(application)} at {plain_name(server)}")
    with named():
        used = await office.use(server, digest(context.pc_key), application, path, octets(values[3]), master_key)
    return Answer(((used.status, used.body),))


async def list_options(office: BackOffice, context: Context, values: Values) -> Answer:
    """+FOBOPTIONS: what runs (C18)."""
    await office.started.wait()
    newest = {notice.component: notice.newest for notice in office.store.notices(office.machine.boot.record.catalogue)}
    lines = []
    for component in office.machine.running.components:
        release: Release = component.release
        newer = words(newest[release.id]) if release.id in newest else None
        commands = " ".join(f"+{command}" for command in release.commands)
        lines.append(
            (release.id, words(release.version), int(release.kind), release.title, release.size, newer, commands)
        )
    return Answer(tuple(lines))


HANDLERS: Final[dict[str, OfficeHandler]] = {
    catalogue.OFFICE.name: tell_office,
    catalogue.CONFIGURE.name: configure,
    catalogue.SERVERS.name: list_servers,
    catalogue.REGISTER.name: register,
    catalogue.ENTITLED.name: tell_entitlements,
    catalogue.USE.name: use,
    catalogue.OPTIONS.name: list_options,
    catalogue.OPTION.name: read_component,
    **INTEGRITY,
    **METERING,
}


def handler_for(office: BackOffice, name: str) -> Handler | None:
    """Who answers a command."""
    if name.startswith(catalogue.OPTION_PREFIX):
        return partial(run_component, office, name)
    handler = HANDLERS.get(name)
    return None if handler is None else partial(handler, office)


async def _check_server(office: BackOffice, server: str) -> None:
    with named():
        is_known = await office.knows_server(server)
    if not is_known:
        raise CkrError(Ckr.ARGUMENTS_BAD, f"no server {plain_name(server)}")


def _check_use(application: str, path: str, body: bytes) -> None:
    """What does not fit into a question is not asked."""
    try:
        read(Use, Use(None, application, path, body).octets())
    except OfficeError as error:
        raise CkrError(Ckr.ARGUMENTS_BAD, error.why) from None


def _fields(count: int, values: Values) -> dict[str, str]:
    if len(values) != 2 * count:
        raise AtSyntaxError("each field has a name and a value")
    texts = [text(value) for value in values]
    fields = dict(zip(texts[::2], texts[1::2], strict=True))
    if len(fields) != count:
        raise AtSyntaxError("a field is there twice")
    return fields
