"""Masters in a PKCS#11 module: one HMAC there for each key that is derived, and no way to read them back (M12)."""

import importlib
import shlex
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Annotated, Any, Final

from msgspec import Meta

from fob_office.centre.boxes.errors import NotHeldError, VaultError
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.vault import first_block
from fob_office.errors import OperatorError
from fob_protocol.cose.cbor import Value
from fob_protocol.office.message import Message

_PATH_LIMIT: Final = 4096
_WHAT: Final = "the PKCS#11 module cannot be used"
_SLOTS: Final = "{tool} --list-slots    (it names the tokens)"
_OTHER_PIN: Final = "write the right PIN into the file, and the same command again; too many wrong ones lock the token"
_NEW_PIN: Final = "{tool} --login --login-type so --init-pin    (by the token's security officer)"
# What is wrong with what an operator said, and what helps, by the name of the module's error.
_WORDS: Final = {
    "NoSuchToken": ("it has no token '{token}'", _SLOTS),
    "MultipleTokensReturned": ("it has several tokens '{token}'", _SLOTS),
    "TokenNotRecognised": ("token '{token}' was not made ready yet", _SLOTS),
    "PinIncorrect": ("the PIN is not that of token '{token}'", _OTHER_PIN),
    "PinInvalid": ("the PIN is not one that token '{token}' takes", _OTHER_PIN),
    "PinLenRange": ("the PIN is shorter or longer than those of token '{token}'", _OTHER_PIN),
    "PinExpired": ("the PIN of token '{token}' has expired", _NEW_PIN),
    "PinLocked": ("the PIN of token '{token}' is locked: wrong ones were tried", _NEW_PIN),
    "UserPinNotInitialized": ("token '{token}' has no PIN for its user yet", _NEW_PIN),
}


class ModulePlace(Message, tag=1, frozen=True):
    """Which token of which module, and its user's PIN; it stands sealed in the folder of the box."""

    library: Annotated[str, Meta(max_length=_PATH_LIMIT)]
    token: Annotated[str, Meta(max_length=32)]
    pin: Annotated[str, Meta(max_length=256)]

    def __repr__(self) -> str:
        return f"ModulePlace({self.library!r}, {self.token!r}, ...)"


class Pkcs11Vault:
    """The masters of one box: `name` is in the labels of its keys.

    One session, until the process ends; one user at a time.
    """

    def __init__(self, place: ModulePlace, name: str, purposes: Iterable[Purpose]) -> None:
        """Raises OperatorError: no module, no token, another PIN, or a master is not there."""
        self._pkcs11 = _load()
        self._lock = threading.Lock()
        with _told(self._pkcs11):
            self._session = _open(self._pkcs11, place, is_writing=False)
            try:
                self._keys = {purpose: self._session.get_key(label=label_of(name, purpose)) for purpose in purposes}
            except self._pkcs11.PKCS11Error:
                self._session.close()
                raise

    def __repr__(self) -> str:
        return "Pkcs11Vault()"

    def derive(self, purpose: Purpose, *context: Value) -> bytes:
        """As Vault says. Raises VaultError when the module cannot."""
        key = self._keys.get(purpose)
        if key is None:
            raise NotHeldError(f"this box holds no {purpose} master")
        try:
            with self._lock:
                return bytes(key.sign(first_block(purpose, context), mechanism=self._pkcs11.Mechanism.SHA256_HMAC))
        except self._pkcs11.PKCS11Error as error:
            raise VaultError(type(error).__name__) from None


def import_master(place: ModulePlace, name: str, purpose: Purpose, secret: bytes) -> None:
    """Once, when the box is made, and again with a newer pass; afterwards nobody reads it. Raises OperatorError."""
    module = _load()
    with _told(module):
        session = _open(module, place, is_writing=True)
        try:
            _destroy(module, session, label_of(name, purpose))
            session.create_object(_template(module, label_of(name, purpose), secret))
        finally:
            session.close()


def destroy_masters(place: ModulePlace, name: str, purposes: Iterable[Purpose]) -> None:
    """Of a box that is removed; those that are not there any more are none. Raises OperatorError."""
    module = _load()
    with _told(module):
        session = _open(module, place, is_writing=True)
        try:
            for purpose in purposes:
                _destroy(module, session, label_of(name, purpose))
        finally:
            session.close()


def label_of(name: str, purpose: Purpose) -> str:
    """Of a master in the token."""
    return f"fob {name} {purpose}"


def _destroy(module: ModuleType, session: Any, label: str) -> None:
    for found in session.get_objects({module.Attribute.LABEL: label}):
        found.destroy()


def _template(module: ModuleType, label: str, secret: bytes) -> dict[Any, Any]:
    attribute = module.Attribute
    return {
        attribute.CLASS: module.ObjectClass.SECRET_KEY,
        attribute.KEY_TYPE: module.KeyType.GENERIC_SECRET,
        attribute.LABEL: label,
        attribute.TOKEN: True,
        attribute.PRIVATE: True,
        attribute.SENSITIVE: True,
        attribute.EXTRACTABLE: False,
        attribute.MODIFIABLE: False,
        attribute.SIGN: True,
        attribute.VERIFY: False,
        attribute.ENCRYPT: False,
        attribute.DECRYPT: False,
        attribute.WRAP: False,
        attribute.UNWRAP: False,
        attribute.DERIVE: False,
        attribute.VALUE: secret,
    }


def _load() -> ModuleType:
    """It is needed where masters are in a module, and installed with `fobd[hsm]`. Raises OperatorError."""
    try:
        return importlib.import_module("pkcs11")
    except ImportError:
        raise OperatorError(_WHAT, "python-pkcs11 is not installed", "pip install 'fobd[hsm]'") from None


def _open(module: ModuleType, place: ModulePlace, *, is_writing: bool) -> Any:
    """Raises OperatorError, in words where the cause is known; PKCS11Error."""
    try:
        library = module.lib(place.library)
    except (module.PKCS11Error, RuntimeError) as error:
        why = str(error) or type(error).__name__
        raise OperatorError(_WHAT, f"it does not load: {why}", f"ls -l {shlex.quote(place.library)}") from None
    try:
        return library.get_token(token_label=place.token).open(rw=is_writing, user_pin=place.pin)
    except module.PKCS11Error as error:
        if (words := _WORDS.get(type(error).__name__)) is None:
            raise
        why, command = words
        tool = f"pkcs11-tool --module {shlex.quote(place.library)}"
        raise OperatorError(_WHAT, why.format(token=place.token), command.format(tool=tool)) from None


@contextmanager
def _told(module: ModuleType) -> Iterator[None]:
    """What the module says, as an operator is told it."""
    try:
        yield
    except (module.PKCS11Error, RuntimeError) as error:
        command = "look at the module with pkcs11-tool --list-objects"
        raise OperatorError(_WHAT, type(error).__name__, command) from None
