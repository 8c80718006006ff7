"""PINs that are typed on the device's own pad: what a PC sends in their place is not looked at, and costs no try."""

from dataclasses import replace
from typing import TypeVar

from fob_device.approval.asking import Asking
from fob_device.approval.wanted import wanted
from fob_device.pad.entry import PinEntry, PinUse
from fob_device.pad.pin_pad import Check
from fob_device.security.context import Context
from fob_device.security.uses import unanswered_written_down, write_down
from fob_device.security.values import optional_whole, positive
from fob_device.token.access import require_pin_user
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Value
from fob_protocol.caller import Caller
from fob_protocol.history.entry import By, Entry, Kind, Outcome
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError

T = TypeVar("T")


async def login_by_pad(context: Context, caller: Caller, user: Cku, handle_or_login: Value) -> Answer:
    """C_Login; `handle_or_login`: the key for its own login, else the login that the new one replaces."""
    if user is Cku.CONTEXT_SPECIFIC:
        return await _login_for_key(context, caller, positive(handle_or_login))
    require_pin_user(user)
    entry = PinEntry(PinUse.LOGIN, user, context.pc_name, caller, pc_key=context.pc_key)
    check, replaced = _master_key_of(context, user), optional_whole(handle_or_login)
    with context.checking_pin():
        async with context.asking(entry.what()) as asking:
            ask = context.decider.log_in if user is Cku.USER else context.decider.enter
            master_key = await _typed(context, entry, asking, await ask(entry, check, asking))
        opened = await context.slowly(lambda: context.session.login_opened(user, master_key, replaced))
    return Answer(((opened.id, opened.ticket),))


async def user_master_key(context: Context, deed: str) -> bytes:
    """What the user's PIN opens, for a deed without a login: by the pad, else by a login of this session.

    Raises CkrError USER_NOT_LOGGED_IN, FUNCTION_CANCELED, PIN_LOCKED.
    """
    if not context.decider.has_pin_pad:
        return context.session.master_key
    entry = PinEntry(PinUse.SERVER, Cku.USER, context.pc_name, deed=deed, pc_key=context.pc_key)
    check = _master_key_of(context, Cku.USER)
    with context.checking_pin():
        async with context.asking(entry.what()) as asking:
            return await _typed(context, entry, asking, await context.decider.log_in(entry, check, asking))


async def init_token_by_pad(context: Context, label: str) -> None:
    """C_InitToken, by the SO's PIN."""

    async def check(pin: bytes) -> bytes:
        await context.slowly(lambda: context.token.open_master(Cku.SO, pin))
        return pin

    entry = PinEntry(PinUse.ERASE, Cku.SO, context.pc_name, new_label=label, pc_key=context.pc_key)
    async with context.asking(entry.what()) as asking:
        so_pin = await _typed(context, entry, asking, await context.decider.enter(entry, check, asking))
    await context.slowly(lambda: context.token.init_token(so_pin, label))
    context.decider.forget_pin()


async def init_pin_by_pad(context: Context) -> None:
    """C_InitPIN: the person at the device chooses the user's PIN."""
    context.session.require_officer()
    new = await _choose(context, PinEntry(PinUse.RESET, Cku.USER, context.pc_name, is_new=True, pc_key=context.pc_key))
    await context.slowly(lambda: context.session.init_pin(new))
    context.decider.forget_pin()


async def set_pin_by_pad(context: Context, user: Cku) -> None:
    """C_SetPIN: the old PIN, then the new one twice."""
    require_pin_user(user)
    entry = PinEntry(PinUse.CHANGE, user, context.pc_name, pc_key=context.pc_key)
    async with context.asking(entry.what()) as asking:
        typed = await context.decider.enter(entry, _master_key_of(context, user), asking)
        master_key = await _typed(context, entry, asking, typed)
    new = await _choose(context, PinEntry(PinUse.CHANGE, user, context.pc_name, is_new=True, pc_key=context.pc_key))
    await context.slowly(lambda: context.session.set_pin_opened(user, master_key, new))


async def _login_for_key(context: Context, caller: Caller, handle: int) -> Answer:
    """The next use of one key: its PIN is asked for each time."""
    context.session.require_guarded(handle)
    label = context.session.attributes(handle).get(Cka.LABEL, b"")
    words = label.decode("utf-8", "replace") if isinstance(label, bytes) else ""
    entry = PinEntry(PinUse.KEY, Cku.USER, context.pc_name, caller, words, handle, pc_key=context.pc_key)
    use = Entry(Kind.USE, caller=caller, key_label=words, key=handle)
    with context.checking_pin():
        async with unanswered_written_down(context, use), context.asking(entry.what()) as asking:
            await context.decider.unlocked(asking)
            master_key = await context.decider.enter(entry, _master_key_of(context, Cku.USER), asking)
            if master_key is not None:
                await wanted(context.decider, asking)
        if master_key is None:
            await write_down(context, replace(use, outcome=Outcome.REFUSED, by=By.TAP))
            raise _gave_up()
        context.session.authorize_key_opened(handle)
    return Answer()


async def _choose(context: Context, entry: PinEntry) -> bytes:
    async with context.asking(entry.what()) as asking:
        return await _typed(context, entry, asking, await context.decider.choose(entry, asking))


def _master_key_of(context: Context, user: Cku) -> Check[bytes]:
    async def check(pin: bytes) -> bytes:
        return await context.slowly(lambda: context.token.open_master(user, pin))

    return check


async def _typed(context: Context, entry: PinEntry, asking: Asking, result: T | None) -> T:
    """What was typed, when the computer is there to have what that opens.

    Raises CkrError FUNCTION_CANCELED when the person gave up.
    """
    if result is None:
        raise _gave_up()
    if entry.needs_no_unlocking:
        await asking.asker.returned()
    else:
        await wanted(context.decider, asking)
    return result


def _gave_up() -> CkrError:
    return CkrError(Ckr.FUNCTION_CANCELED, "no PIN was typed on the device")
