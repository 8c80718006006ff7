"""What the person at the device's own screen asks of the data centre: one thing at a time."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from fob_device.components.runtime.errors import RunError
from fob_device.metering.joining import Wish
from fob_device.metering.meter import Meter
from fob_device.office.back_office import FAILURES, name_of
from fob_device.overview.meter import MeterDeed, MeterEnded, ShownTerms
from fob_protocol.integrity.admission import NotEnabledError
from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.answers import TermsGiven
from fob_protocol.metering.kinds import Payment


class MeterDesk:
    """`changed` tells whoever looks; `clock` is the device's own, in seconds since 1970."""

    def __init__(self, meter: Meter, changed: Callable[[], None], clock: Callable[[], float]) -> None:
        self.doing: MeterDeed | None = None
        self.ended: MeterEnded | None = None
        self.terms: ShownTerms | None = None
        self._meter = meter
        self._changed = changed
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def open_form(self) -> None:
        """What a meter costs becomes a form to sign up."""
        self._begin(MeterDeed.TERMS, self._fetch_terms)

    def sign_up(
        self, name: str, value_kind: str, payment: int, origins: Sequence[str], password: str, master_key: bytes
    ) -> None:
        """With what was filled in; `master_key` is what the PIN opens."""
        told = self.terms.fee if self.terms is not None else 0
        wish = Wish(value_kind, Payment(payment), None, tuple(origins), told)
        self._begin(MeterDeed.SIGN_UP, lambda: self._join(name, wish, password, master_key))

    def sign_on(self, name: str, password: str, master_key: bytes) -> None:
        """This device instead of the one before."""
        self._begin(MeterDeed.SIGN_ON, lambda: self._join(name, None, password, master_key))

    def look(self, master_key: bytes) -> None:
        """What does the data centre say of the meter?"""
        self._begin(MeterDeed.LOOK, lambda: self._look(master_key))

    def set_allowance(self, daily: int) -> None:
        """What may be franked in a day without a question. Raises CkrError, and then nothing has changed."""
        self._meter.set_allowance(daily)
        self._changed()

    def give_up(self) -> None:
        """Nobody waits any more, and no form is open. A request that was kept is kept."""
        if self._task is not None:
            self._task.cancel()
        self.terms = None
        self._changed()

    def _begin(self, deed: MeterDeed, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Whoever taps twice means it once. `work` is no partial, which would show the password that it was given."""
        if self.doing is not None:
            return
        self.doing, self.ended = deed, None
        self._task = asyncio.get_running_loop().create_task(self._do(deed, work))
        self._changed()

    async def _do(self, deed: MeterDeed, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        ended = MeterEnded(deed, 0.0)
        try:
            await work()
            self.ended = replace(ended, at=self._clock())
        except NotEnabledError as error:
            self.ended = replace(ended, at=self._clock(), refusal=error.reason or error.word)
        except RunError as error:
            self.ended = replace(ended, at=self._clock(), refusal=error.fault)
        except FAILURES as error:
            self.ended = replace(ended, at=self._clock(), refusal=name_of(error))
        finally:
            self.doing = self._task = None
            self._changed()

    async def _fetch_terms(self) -> None:
        self.terms = None
        given = await self._meter.terms()
        deposit, fee = _in_words(given, given.deposit), _in_words(given, given.fee)
        self.terms = ShownTerms(given.value_kinds, deposit, given.fee, fee)

    async def _join(self, name: str, wish: Wish | None, password: str, master_key: bytes) -> None:
        async def typed(_: str) -> str:
            return password

        await self._meter.join(name, wish, typed, master_key)
        self.terms = None

    async def _look(self, master_key: bytes) -> None:
        async def unlock() -> bytes:
            return master_key

        await self._meter.about(unlock)


def _in_words(terms: TermsGiven, amount: int) -> str:
    return ", ".join(amount_words(kind, amount) for kind in terms.value_kinds)
