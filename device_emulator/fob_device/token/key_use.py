"""Private keys at work for one link session; safe from several threads at once."""

from fob_device.token.access import Access
from fob_device.token.decryption import decrypt_data
from fob_device.token.derivation import Derived, check_derive_template, derive_secret
from fob_device.token.keys import PrivateKey, key_from_secret
from fob_device.token.mechanisms import Entry, entry_for
from fob_device.token.object_desk import ObjectDesk
from fob_device.token.signing import make_signature
from fob_device.token.values import is_true, mechanisms_of
from fob_device.token.views import ObjectView
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import MechanismFlag
from fob_protocol.pkcs11.mechanisms import Mechanism


class KeyUse:
    """Sign, decrypt, derive: the checks that PKCS#11 asks for, then the arithmetic. Nothing is written to the file."""

    def __init__(self, access: Access, desk: ObjectDesk) -> None:
        self._access = access
        self._desk = desk

    def sign(self, handle: int, mechanism: Mechanism, data: bytes) -> bytes:
        """C_Sign."""
        entry = entry_for(mechanism, MechanismFlag.SIGN)
        key = self._key(handle, Cka.SIGN, mechanism, entry)
        return make_signature(key, mechanism, entry, data)

    def decrypt(self, handle: int, mechanism: Mechanism, data: bytes) -> bytes:
        """C_Decrypt."""
        entry = entry_for(mechanism, MechanismFlag.DECRYPT)
        key = self._key(handle, Cka.DECRYPT, mechanism, entry)
        return decrypt_data(key, mechanism, entry, data)

    def derive(self, handle: int, mechanism: Mechanism, template: Template) -> Derived:
        """C_DeriveKey."""
        entry = entry_for(mechanism, MechanismFlag.DERIVE)
        check_derive_template(template)
        key = self._key(handle, Cka.DERIVE, mechanism, entry)
        return derive_secret(key, mechanism, template)

    def _key(self, handle: int, use: Cka, mechanism: Mechanism, entry: Entry) -> PrivateKey:
        """The key, when it may be used so; a PIN that was entered for this use is used up."""
        view = self._desk.find(handle, Ckr.KEY_HANDLE_INVALID)
        _check_use(view, use, mechanism, entry)
        key = self._open(view)
        if is_true(view.attributes, Cka.ALWAYS_AUTHENTICATE):
            self._access.use_authorization(handle)
        return key

    def _open(self, view: ObjectView) -> PrivateKey:
        """The key, unsealed once per login. Raises CkrError USER_NOT_LOGGED_IN, DEVICE_ERROR."""
        login = self._access.user_login()
        key = login.keys.get(view.handle)
        if key is None:
            secret = self._desk.secret(view)
            if secret is None:
                raise CkrError(Ckr.DEVICE_ERROR, f"key {view.handle} has lost its secret")
            key = login.keys[view.handle] = key_from_secret(secret)
        return key


def _check_use(view: ObjectView, use: Cka, mechanism: Mechanism, entry: Entry) -> None:
    if view.attributes.get(Cka.CLASS) != Cko.PRIVATE_KEY:
        raise CkrError(Ckr.KEY_HANDLE_INVALID, f"object {view.handle} is no private key")
    if view.attributes.get(Cka.KEY_TYPE) != entry.key_type:
        raise CkrError(Ckr.KEY_TYPE_INCONSISTENT, f"key {view.handle} is of another type")
    if not is_true(view.attributes, use):
        raise CkrError(Ckr.KEY_FUNCTION_NOT_PERMITTED, f"key {view.handle} has no CKA_{use.name}")
    allowed = mechanisms_of(view.attributes, Cka.ALLOWED_MECHANISMS)
    if allowed and mechanism.type not in allowed:
        raise CkrError(Ckr.MECHANISM_INVALID, f"CKA_ALLOWED_MECHANISMS of key {view.handle} leaves this one out")
