"""A locked device does nothing with private keys: it makes, takes in, changes and destroys none either."""

from fob_device.approval.wanted import wanted
from fob_device.security.context import Context
from fob_protocol.names import plain_name
from fob_protocol.pkcs11.attributes import Attributes, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.constants import Cko
from fob_protocol.pkcs11.errors import CkrError


async def unlocked_to_make(context: Context, deed: str, template: Template) -> None:
    """Wait for the unlocking; `deed` with the label of the template. Raises CkrError."""
    label = template.get(Cka.LABEL, b"")
    await _unlocked(context, deed, label if isinstance(label, bytes) else b"")


async def unlocked_to_import(context: Context, template: Template) -> None:
    """Wait for the unlocking where the new object is a private key. Raises CkrError."""
    if template.get(Cka.CLASS) == Cko.PRIVATE_KEY:
        await unlocked_to_make(context, "take in the key", template)


async def unlocked_to(context: Context, deed: str, handle: int) -> None:
    """Wait for the unlocking where the object is a private key. Raises CkrError."""
    try:
        attributes: Attributes = context.session.attributes(handle)
    except CkrError:
        # The deed itself says what is wrong.
        return
    if attributes.get(Cka.CLASS) == Cko.PRIVATE_KEY:
        await unlocked_to_make(context, deed, attributes)


async def _unlocked(context: Context, deed: str, label: bytes) -> None:
    """Only for who is logged in, so that nobody is asked in vain; over when the computer is there to have the deed."""
    if not context.session.logged_in:
        return
    key = f" '{plain_name(label.decode('utf-8', 'replace'))}'" if label else ""
    async with context.asking(f"{deed}{key} for {plain_name(context.pc_name)}") as asking:
        await context.decider.unlocked(asking)
        await wanted(context.decider, asking)
