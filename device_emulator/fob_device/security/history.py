"""The phone's history for a PC: its records, and the end of it signed for a nonce (docs/protocol.md, section 4.2)."""

from fob_device.history.history import History
from fob_device.security.context import Context
from fob_device.security.values import octets, whole
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Values
from fob_protocol.history.entry import computer_id
from fob_protocol.history.limits import HISTORY_NONCE, HISTORY_PAGE
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


async def read_history(context: Context, values: Values) -> Answer:
    """`next,more`, and a line for each record; details only of what concerns this PC."""
    page = _history(context).page(whole(values[0]), computer_id(context.pc_key), HISTORY_PAGE)
    return Answer(((page.next, int(page.is_more)), *(record.to_values() for record in page.records)))


async def sign_head(context: Context, values: Values) -> Answer:
    """First, length, hash, log key, signature."""
    nonce = octets(values[0])
    if len(nonce) != HISTORY_NONCE:
        raise CkrError(Ckr.ARGUMENTS_BAD, f"a nonce has {HISTORY_NONCE} octets")
    return Answer((_history(context).head(nonce).to_values(),))


def _history(context: Context) -> History:
    if context.history is None:
        raise CkrError(Ckr.FUNCTION_NOT_SUPPORTED, "this device keeps no history")
    return context.history
