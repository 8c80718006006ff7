"""Token information, logins and PINs."""

from fob_device.history.actor import name_program
from fob_device.security.context import Context
from fob_device.security.pad_logins import init_pin_by_pad, init_token_by_pad, login_by_pad, set_pin_by_pad
from fob_device.security.pages import page_answer
from fob_device.security.values import octets, optional_octets, optional_whole, positive, whole
from fob_device.token.views import Page
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Value, Values
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError


async def get_token_info(context: Context, values: Values) -> Answer:
    """C_GetTokenInfo."""
    info = context.token.info()
    versions = (_version(info.hardware_version), _version(info.firmware_version))
    names = tuple(text.encode() for text in (info.label, info.manufacturer, info.model, info.serial))
    return Answer(((*names, int(context.flags()), info.min_pin, info.max_pin, *versions),))


async def get_mechanisms(context: Context, values: Values) -> Answer:
    """C_GetMechanismList and C_GetMechanismInfo in one."""
    table = context.token.mechanisms().items()
    return Answer(tuple((int(m), info.min_key_size, info.max_key_size, int(info.flags)) for m, info in table))


async def login(context: Context, values: Values) -> Answer:
    """C_Login: by the PC's PIN, or by the device's own pad if it has one, whatever the PC sends.

    The third value is a handle for a key's own login, and for any other the login that the new one replaces; behind it
    the PC may name the program, so that its first use of a key is as short as any other.
    """
    caller = context.desk.callers.resolve(optional_whole(values[3]), optional_octets(values[4]))
    name_program(caller)
    user = _user(whole(values[0]))
    if context.decider.has_pin_pad:
        return await login_by_pad(context, caller, user, values[2])
    pin = _pin(values[1])
    with context.checking_pin():
        if user is Cku.CONTEXT_SPECIFIC:
            await context.slowly(lambda: context.session.authorize_key(positive(values[2]), pin))
            return Answer()
        replaced = optional_whole(values[2])
        opened = await context.slowly(lambda: context.session.login(user, pin, replaced))
    return Answer(((opened.id, opened.ticket),))


async def logout(context: Context, values: Values) -> Answer:
    """C_Logout."""
    await context.slowly(lambda: context.session.logout(whole(values[0])))
    return Answer()


async def resume(context: Context, values: Values) -> Answer:
    """A login of an earlier session goes on, by its ticket."""
    await context.slowly(lambda: context.session.resume(whole(values[0]), octets(values[1])))
    return Answer()


async def init_token(context: Context, values: Values) -> Answer:
    """C_InitToken."""
    label = octets(values[1]).decode("utf-8", "replace").rstrip()
    with context.checking_pin():
        if context.decider.has_pin_pad:
            await init_token_by_pad(context, label)
        else:
            so_pin = _pin(values[0])
            await context.slowly(lambda: context.token.init_token(so_pin, label))
    context.announce_flags()
    return page_answer(Page(context.token.generation, full=True, more=False, objects=[], deleted=[]))


async def init_pin(context: Context, values: Values) -> Answer:
    """C_InitPIN: the SO sets the user's PIN and its try counter."""
    with context.checking_pin():
        if context.decider.has_pin_pad:
            await init_pin_by_pad(context)
        else:
            pin = _pin(values[0])
            await context.slowly(lambda: context.session.init_pin(pin))
    context.announce_flags()
    return Answer()


async def set_pin(context: Context, values: Values) -> Answer:
    """C_SetPIN."""
    user = _user(whole(values[0]))
    with context.checking_pin():
        if context.decider.has_pin_pad:
            await set_pin_by_pad(context, user)
        else:
            old, new = _pin(values[1]), _pin(values[2])
            await context.slowly(lambda: context.session.set_pin(user, old, new))
    context.announce_flags()
    return Answer()


async def generate_random(context: Context, values: Values) -> Answer:
    """C_GenerateRandom."""
    return Answer(((context.session.generate_random(whole(values[0])),),))


async def unpair(context: Context, values: Values) -> Answer:
    """The PC leaves: its key is forgotten, and its session ends once it has the answer."""
    context.unpair()
    return Answer()


def _user(number: int) -> Cku:
    try:
        return Cku(number)
    except ValueError:
        raise CkrError(Ckr.USER_TYPE_INVALID, f"user type {number}") from None


def _pin(value: Value) -> bytes:
    pin = optional_octets(value)
    if pin is None:
        raise CkrError(Ckr.ARGUMENTS_BAD, "no PIN, and the device has no PIN pad")
    return pin


def _version(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
