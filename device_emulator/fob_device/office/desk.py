"""What the person at the device's own screen asks of its office: one thing at a time, beside all that goes on."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from fob_device.office.back_office import FAILURES, BackOffice, name_of
from fob_device.office.registration import FieldsError
from fob_device.overview.office import AskedField, Deed, Ended, OpenForm
from fob_protocol.integrity.admission import NotEnabledError
from fob_protocol.integrity.letter import LetterError, read_letter
from fob_protocol.office.configuration import Purpose
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.registration import Template

# Of a letter that was mistyped.
WRONG_LETTER: Final = "wrong-letter"


class OfficeDesk:
    """A PersonsDesk. `changed` tells whoever looks; `clock` is the device's own, in seconds since 1970."""

    def __init__(self, office: BackOffice, changed: Callable[[], None], clock: Callable[[], float]) -> None:
        self.doing: Deed | None = None
        self.ended: Ended | None = None
        self.form: OpenForm | None = None
        self._office = office
        self._changed = changed
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def configure(self) -> None:
        """The set that was ordered shall run (C19)."""
        first = not self._office.machine.boot.record.set_number
        self._begin(Deed.CONFIGURE, "", partial(self._office.configure, Purpose.FIRST if first else Purpose.AGAIN))

    def look(self) -> None:
        """Is there something newer?"""
        self._begin(Deed.LOOK, "", partial(self._office.configure, Purpose.LOOK))

    def open_form(self, server: str) -> None:
        """What a server wants to know becomes a form (R11)."""
        self._begin(Deed.TEMPLATE, server, partial(self._fetch_form, server))

    def register(self, server: str, fields: Mapping[str, str], master_key: bytes) -> None:
        """By the form of this server, if it is open, with what was filled in; `master_key` is what the PIN opens."""
        if self.form is None or self.form.server != server or self.doing is not None:
            return
        filled = tuple(replace(field, text=fields.get(field.name, "")) for field in self.form.fields)
        self.form = replace(self.form, fields=filled)
        given = {field.name: field.text for field in filled if field.text}
        self._begin(Deed.REGISTER, server, partial(self._register, server, given, master_key))

    def validate(self) -> None:
        """Are the copies still what was given out (V17)?"""
        self._begin(Deed.VALIDATE, "", self._office.copies.validate_all)

    def enter_letter(self, program: str, letter: str) -> None:
        """What was typed becomes the identifier of a program's copy (D2, D4)."""
        self._begin(Deed.LETTER, program, partial(self._enter_letter, program, letter))

    def give_up(self) -> None:
        """Nobody waits any more, and no form is open. What the device has begun it ends; a request is kept (R26)."""
        if self._task is not None:
            self._task.cancel()
        self.form = None
        self._changed()

    def _begin(self, deed: Deed, server: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Whoever taps twice means it once."""
        if self.doing is not None:
            return
        self.doing, self.ended = deed, None
        self._task = asyncio.get_running_loop().create_task(self._do(deed, server, work))
        self._changed()

    async def _do(self, deed: Deed, server: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        ended = Ended(deed, server, 0.0)
        try:
            await work()
            self.ended = replace(ended, at=self._clock())
        except FieldsError as error:
            self.ended = replace(ended, at=self._clock(), refusal=Refusal.FIELDS_WRONG, why=str(error))
        except LetterError as error:
            self.ended = replace(ended, at=self._clock(), refusal=WRONG_LETTER, why=str(error))
        except NotEnabledError as error:
            self.ended = replace(ended, at=self._clock(), refusal=error.reason or error.word)
        except FAILURES as error:
            self.ended = replace(ended, at=self._clock(), refusal=name_of(error))
        finally:
            self.doing = self._task = None
            self._changed()

    async def _enter_letter(self, program: str, letter: str) -> None:
        await self._office.copies.enter_letter(program, read_letter(letter))

    async def _fetch_form(self, server: str) -> None:
        self.form = None
        self.form = _form(await self._office.template(server))

    async def _register(self, server: str, fields: Mapping[str, str], master_key: bytes) -> None:
        await self._office.register(server, fields, master_key)
        self.form = None


def _form(template: Template) -> OpenForm:
    fields = (AskedField(field.name, field.label, field.limit, field.is_required) for field in template.fields)
    return OpenForm(template.server, template.title, tuple(fields))
