"""Uses of components: only of copies that are enabled, and written down before their answer leaves (V16, V19)."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from fob_device.components.running import FoundComponent
from fob_device.components.runtime.errors import RunError
from fob_device.office.naming import named
from fob_device.office.options import DATA_PAGE, Command
from fob_device.security.context import Context
from fob_device.security.values import text, whole
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Values
from fob_protocol.history.entry import Entry, Outcome
from fob_protocol.history.entry import Kind as Event
from fob_protocol.names import plain_name
from fob_protocol.office.component import Kind
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

if TYPE_CHECKING:
    from fob_device.office.back_office import BackOffice


async def run_component(office: "BackOffice", name: str, context: Context, values: Values) -> Answer:
    """+X...: known when it is run, since components may still be starting."""
    await office.started.wait()
    component = office.machine.running.with_command(name.removeprefix("+"))
    if component is None:
        raise CkrError(Ckr.FUNCTION_NOT_SUPPORTED, f"no command {name}")
    with named():
        await office.copies.admit(component.release.id)
        command = office.options.command(name)
        if command is None:
            raise CkrError(Ckr.GENERAL_ERROR, component.fault)
        entry = _entry(office, component, name)
        try:
            answered = await office.calls(partial(Command.call, command, values))
        except RunError:
            await context.journal.note(replace(entry, outcome=Outcome.FAILED))
            raise
        await context.journal.note(entry)
    return Answer((answered,) if answered else ())


async def read_component(office: "BackOffice", context: Context, values: Values) -> Answer:
    """+FOBOPTION: a data component. Its first octets are what is written down."""
    await office.started.wait()
    name, begin = text(values[0]), whole(values[1])
    component = next((one for one in office.machine.running.found if one.release.id == name), None)
    if component is None or component.release.kind is not Kind.DATA:
        raise CkrError(Ckr.ARGUMENTS_BAD, f"no data {plain_name(name)}")
    with named():
        await office.copies.admit(name)
    data = office.options.data(name)
    if data is None:
        raise CkrError(Ckr.GENERAL_ERROR, component.fault)
    if begin == 0:
        await context.journal.note(_entry(office, component, "read"))
    return Answer(((len(data), data[begin : begin + DATA_PAGE]),))


def _entry(office: "BackOffice", component: FoundComponent, what: str) -> Entry:
    name = component.release.id
    return Entry(
        Event.COMPONENT_RUN,
        Outcome.APPROVED,
        words=f"{name} {what}",
        integrity_value=office.standings.integrity_value(name),
    )
