"""C_DeriveKey: ECDH on the device, one request; the secret becomes a session key of the PC."""

from fob_daemon.cryptoki.key_use import KeyUse, require_key, require_key_type
from fob_daemon.cryptoki.login_state import LoginState
from fob_daemon.cryptoki.objects import StoredObject
from fob_daemon.cryptoki.secret_keys import secret_key, secret_template
from fob_protocol.pkcs11.attributes import Attributes, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Ecdh1Parameters, Mechanism


async def derive_key(mechanism: Mechanism, key: StoredObject, login: LoginState, template: Attributes) -> Attributes:
    """The attributes of the secret key. Raises CkrError."""
    if mechanism.type != Ckm.ECDH1_DERIVE:
        raise CkrError(Ckr.MECHANISM_INVALID, f"mechanism {mechanism.type:#x} does not derive")
    if not isinstance(mechanism.parameters, Ecdh1Parameters):
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "CK_ECDH1_DERIVE_PARAMS is due")
    require_key(key, Cka.DERIVE, mechanism, Cko.PRIVATE_KEY)
    require_key_type(key, Ckk.EC)
    wanted = secret_template(template)
    key_use = KeyUse.of(key, login)
    asked = _for_the_device(template)
    value = await key_use.ask(
        "derive", lambda remote, caller: remote.derive_key(key_use.handle, mechanism, asked, caller)
    )
    return secret_key(wanted, value)


def _for_the_device(template: Template) -> Attributes:
    """What the device decides on: how long the secret is, and whether it may leave; the rest is the PC's."""
    decisive = (Cka.KEY_TYPE, Cka.VALUE_LEN, Cka.SENSITIVE, Cka.EXTRACTABLE)
    return {int(attribute): template[attribute] for attribute in decisive if attribute in template}
