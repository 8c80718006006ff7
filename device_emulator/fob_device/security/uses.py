"""Uses of keys: asked for, done, and written down before anything of it leaves the device."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

from fob_device.approval.questions import DecidedBy, Decision, Operation, Question
from fob_device.security.context import Context
from fob_device.withdrawal import is_withdrawal
from fob_protocol.history.entry import By, Entry, Kind, Outcome, Use
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

BY: Final = {
    DecidedBy.TAP: By.TAP,
    DecidedBy.GRANT: By.GRANT,
    DecidedBy.SETTING: By.SETTING,
    DecidedBy.RULE: By.RULE,
}
_USES: Final = {
    Operation.SIGN: Use.SIGN,
    Operation.DECRYPT: Use.DECRYPT,
    Operation.DERIVE: Use.DERIVE,
}


async def use_key(context: Context, question: Question, work: Callable[[], bytes]) -> bytes:
    """What `work` makes of the key, if the person wants it: signature, plaintext or secret.

    Raises CkrError FUNCTION_REJECTED for a no, FUNCTION_CANCELED for silence, DEVICE_MEMORY where the disk is too full
    to write down what was done: then what was made is forgotten; and what `work` raises, which is written down too.
    """
    decision = await _decide(context, question)
    entry = replace(_entry(context, question), by=BY[decision.by])
    if not decision.is_yes:
        await write_down(context, replace(entry, outcome=Outcome.REFUSED))
        raise CkrError(Ckr.FUNCTION_REJECTED, f"refused on the device: {question.words()}")
    try:
        made = work()
    except CkrError:
        # Failures tell something about the key as well (padding oracles): none leaves without its entry.
        await context.journal.note(replace(entry, outcome=Outcome.FAILED))
        raise
    await context.journal.note(replace(entry, outcome=Outcome.APPROVED))
    return made


async def _decide(context: Context, question: Question) -> Decision:
    """The person's answer. One that does not come is written down too."""
    async with unanswered_written_down(context, _entry(context, question)):
        return await context.decide(question)


@asynccontextmanager
async def unanswered_written_down(context: Context, entry: Entry) -> AsyncIterator[None]:
    """The block asks the person about a use of a key; where no answer comes of it, that is what the entry says."""
    try:
        yield
    except CkrError as error:
        outcome = Outcome.OUT_OF_TIME if error.ckr is Ckr.FUNCTION_CANCELED else Outcome.REFUSED
        await write_down(context, replace(entry, outcome=outcome))
        raise
    except asyncio.CancelledError as cancelled:
        if is_withdrawal(cancelled):
            context.journal.note(replace(entry, outcome=Outcome.WITHDRAWN))
        raise


async def write_down(context: Context, entry: Entry) -> None:
    """A no stays a no where it cannot be written down."""
    with suppress(CkrError):
        await context.journal.note(entry)


def _entry(context: Context, question: Question) -> Entry:
    return Entry(
        Kind.USE,
        caller=question.caller,
        use=_USES[question.operation],
        key_label=question.key_label,
        key=question.key,
        integrity_value=context.integrity_value,
    )
