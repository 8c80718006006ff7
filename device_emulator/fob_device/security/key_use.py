"""Private keys at work: sign, decrypt, derive. Each asks the person first, as the rules say."""

from typing import Final

from fob_device.approval.questions import Operation, Question
from fob_device.security.context import Context
from fob_device.security.uses import use_key
from fob_device.security.values import octets, optional_octets, optional_whole, positive, whole
from fob_protocol.at.answer import Answer
from fob_protocol.at.attribute_list import block_to_mechanism, values_to_attributes
from fob_protocol.at.values import Value, Values
from fob_protocol.caller import Caller
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism

# The mechanism of a key when the command names none.
PLAIN: Final[dict[int, Ckm]] = {Ckk.RSA: Ckm.RSA_PKCS, Ckk.EC: Ckm.ECDSA, Ckk.EC_EDWARDS: Ckm.EDDSA}


async def sign(context: Context, values: Values) -> Answer:
    """C_SignInit and C_Sign in one."""
    caller = _caller(context, values[4], values[5])
    handle, data = positive(values[0]), octets(values[2])
    mechanism = _mechanism(context, handle, values[1], values[3])
    question = _question(context, Operation.SIGN, handle, caller)
    signature = await use_key(context, question, lambda: context.session.sign(handle, mechanism, data))
    return Answer(((signature,),))


async def decrypt(context: Context, values: Values) -> Answer:
    """C_DecryptInit and C_Decrypt in one."""
    caller = _caller(context, values[4], values[5])
    handle, data = positive(values[0]), octets(values[2])
    mechanism = _mechanism(context, handle, values[1], values[3])
    question = _question(context, Operation.DECRYPT, handle, caller)
    plaintext = await use_key(context, question, lambda: context.session.decrypt(handle, mechanism, data))
    return Answer(((plaintext,),))


async def derive_key(context: Context, values: Values) -> Answer:
    """C_DeriveKey into a secret that the PC keeps for a session."""
    caller = _caller(context, values[3], values[4])
    handle = positive(values[0])
    mechanism = block_to_mechanism(whole(values[1]), optional_octets(values[2]))
    template = values_to_attributes(values[5:])
    question = _question(context, Operation.DERIVE, handle, caller)
    secret = await use_key(context, question, lambda: context.session.derive(handle, mechanism, template).value)
    return Answer(((secret,),))


def _mechanism(context: Context, handle: int, named: Value, parameter: Value) -> Mechanism:
    if named is not None:
        return block_to_mechanism(whole(named), optional_octets(parameter))
    key_type = context.session.attributes(handle).get(Cka.KEY_TYPE)
    plain = PLAIN.get(key_type) if isinstance(key_type, int) else None
    if plain is None:
        raise CkrError(Ckr.KEY_TYPE_INCONSISTENT, "this key has no plain mechanism")
    return Mechanism(plain)


def _caller(context: Context, number: Value, block: Value) -> Caller:
    """Comes first: who names a caller that is not known here is told so, and nothing else happens."""
    return context.desk.callers.resolve(optional_whole(number), optional_octets(block))


def _question(context: Context, operation: Operation, handle: int, caller: Caller) -> Question:
    """Only for an operation that the session may do, so that nobody is asked in vain."""
    if not context.session.logged_in:
        raise CkrError(Ckr.USER_NOT_LOGGED_IN, "log in first")
    label = context.session.attributes(handle).get(Cka.LABEL, b"")
    words = label.decode("utf-8", "replace") if isinstance(label, bytes) else ""
    return Question(operation, words, context.pc_name, caller, handle, context.pc_key)
