"""One link session's view of the token: the calls of the security manager."""

from fob_device.token import limits
from fob_device.token.access import Access
from fob_device.token.derivation import Derived
from fob_device.token.key_use import KeyUse
from fob_device.token.logins import Login
from fob_device.token.object_desk import ObjectDesk
from fob_device.token.sealing import Random
from fob_device.token.values import is_true
from fob_device.token.views import ObjectView
from fob_protocol.pkcs11.attributes import Attributes, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism


class TokenSession:
    """What a paired computer does with the token. Every refusal is a CkrError.

    From any thread at any time: `sign`, `decrypt`, `derive`, `attributes`, `read_attribute`, `logged_in`,
    `generate_random`. All other methods change something: one at a time for the whole token.
    """

    def __init__(self, access: Access, desk: ObjectDesk, random: Random) -> None:
        self._access = access
        self._desk = desk
        self._keys = KeyUse(access, desk)
        self._random = random

    @property
    def master_key(self) -> bytes:
        """What the user's secrets are sealed under. Raises CkrError USER_NOT_LOGGED_IN."""
        return self._access.user_login().master_key

    @property
    def logged_in(self) -> set[Cku]:
        """Who is logged in, in any application of this computer."""
        return self._access.users

    def login(self, user: Cku, pin: bytes, replaced: int | None = None) -> Login:
        """Log in; slow (Argon2id). `replaced`: the number of this session's login that ends when the new one is there.

        Raises CkrError USER_TYPE_INVALID, PIN_LEN_RANGE (costs no try), PIN_INCORRECT, PIN_LOCKED,
        USER_PIN_NOT_INITIALIZED, SESSION_COUNT.
        """
        self._forget_private_objects()
        return self._access.login(user, pin, replaced)

    def login_opened(self, user: Cku, master_key: bytes, replaced: int | None = None) -> Login:
        """As `login`, where the device's own pad has checked the PIN. Raises CkrError SESSION_COUNT."""
        self._forget_private_objects()
        return self._access.login_opened(user, master_key, replaced)

    def resume(self, login: int, ticket: bytes) -> None:
        """Go on with a login of an earlier session. Raises CkrError USER_NOT_LOGGED_IN unless the ticket is good."""
        self._forget_private_objects()
        self._access.resume(login, ticket)

    def logout(self, login: int) -> None:
        """End a login; with the user's last one the private session objects go. Raises CkrError USER_NOT_LOGGED_IN."""
        self._access.logout(login)
        self._forget_private_objects()

    def take_ended_logins(self) -> list[int]:
        """The numbers of this session's logins that were ended elsewhere; each is told once."""
        return self._access.take_ended()

    def authorize_key(self, handle: int, pin: bytes) -> None:
        """The context-specific login: allows the next use of one CKA_ALWAYS_AUTHENTICATE key; slow.

        Raises CkrError KEY_HANDLE_INVALID, OPERATION_NOT_INITIALIZED (the key needs no such login), and as `login`.
        """
        self.require_guarded(handle)
        self._access.authorize_key(handle, pin)

    def authorize_key_opened(self, handle: int) -> None:
        """As `authorize_key`, where the device's own pad has checked the PIN. Raises CkrError USER_NOT_LOGGED_IN."""
        self._access.authorize_key_opened(handle)

    def require_guarded(self, handle: int) -> None:
        """Raises CkrError unless it is a key that asks for the PIN at every use, and the user is logged in."""
        self._access.user_login()
        view = self._desk.find(handle, Ckr.KEY_HANDLE_INVALID)
        if view.attributes.get(Cka.CLASS) != Cko.PRIVATE_KEY:
            raise CkrError(Ckr.KEY_HANDLE_INVALID, f"object {handle} is no private key")
        if not is_true(view.attributes, Cka.ALWAYS_AUTHENTICATE):
            raise CkrError(Ckr.OPERATION_NOT_INITIALIZED, f"key {handle} needs no PIN for each use")

    def init_pin(self, new_pin: bytes) -> None:
        """The SO sets the user's PIN and unlocks it; keys stay, the user's logins and tickets end; slow.

        Raises CkrError USER_NOT_LOGGED_IN, PIN_LEN_RANGE.
        """
        self._access.init_pin(new_pin)

    def require_officer(self) -> None:
        """Raises CkrError USER_NOT_LOGGED_IN unless the SO is logged in."""
        self._access.officer_login()

    def set_pin(self, user: Cku, old: bytes, new: bytes) -> None:
        """Change a PIN; the user's tickets end, and the logins of other computers; slow. Raises CkrError as `login`."""
        self._access.set_pin(user, old, new)

    def set_pin_opened(self, user: Cku, master_key: bytes, new: bytes) -> None:
        """As `set_pin`, where the device's own pad has checked the old PIN. Raises CkrError PIN_LEN_RANGE."""
        self._access.set_pin_opened(user, master_key, new)

    def sign(self, handle: int, mechanism: Mechanism, data: bytes) -> bytes:
        """A signature over `data`: the digest where the mechanism hashes, the message for EdDSA.

        Raises CkrError KEY_HANDLE_INVALID, KEY_TYPE_INCONSISTENT, KEY_FUNCTION_NOT_PERMITTED, MECHANISM_INVALID,
        MECHANISM_PARAM_INVALID, DATA_LEN_RANGE, USER_NOT_LOGGED_IN, DEVICE_ERROR.
        """
        return self._keys.sign(handle, mechanism, data)

    def decrypt(self, handle: int, mechanism: Mechanism, data: bytes) -> bytes:
        """A plaintext. Raises CkrError as `sign`, and ENCRYPTED_DATA_INVALID, ENCRYPTED_DATA_LEN_RANGE.

        RSA_PKCS never reports a bad padding: it gives other octets (decryption.py says why).
        """
        return self._keys.decrypt(handle, mechanism, data)

    def derive(self, handle: int, mechanism: Mechanism, template: Template) -> Derived:
        """A secret for the computer to keep as a session object.

        Raises CkrError as `sign`, and TEMPLATE_INCONSISTENT, TEMPLATE_INCOMPLETE, ATTRIBUTE_VALUE_INVALID.
        """
        return self._keys.derive(handle, mechanism, template)

    def generate_key_pair(
        self, mechanism: Mechanism, public_template: Template, private_template: Template
    ) -> tuple[ObjectView, ObjectView]:
        """A new pair, public object first; RSA takes seconds.

        Raises CkrError MECHANISM_INVALID, MECHANISM_PARAM_INVALID, USER_NOT_LOGGED_IN, CURVE_NOT_SUPPORTED,
        DEVICE_MEMORY, and for templates as `create_object`.
        """
        return self._desk.generate_pair(mechanism, public_template, private_template)

    def create_object(self, template: Template) -> ObjectView:
        """A new object: a key (its value stays inside from now on), a certificate, or data.

        Raises CkrError TEMPLATE_INCOMPLETE, TEMPLATE_INCONSISTENT, ATTRIBUTE_TYPE_INVALID, ATTRIBUTE_VALUE_INVALID,
        ATTRIBUTE_READ_ONLY, CURVE_NOT_SUPPORTED, USER_NOT_LOGGED_IN, DEVICE_MEMORY.
        """
        return self._desk.create(template)

    def copy_object(self, handle: int, template: Template) -> ObjectView:
        """A copy, some attributes changed. Raises CkrError OBJECT_HANDLE_INVALID, ACTION_PROHIBITED, and as above."""
        return self._desk.copy(handle, template)

    def set_attributes(self, handle: int, template: Template) -> ObjectView:
        """An object with some attributes changed. Raises CkrError as `copy_object`."""
        return self._desk.change(handle, template)

    def destroy_object(self, handle: int) -> None:
        """Destroy an object. Raises CkrError OBJECT_HANDLE_INVALID, USER_NOT_LOGGED_IN."""
        self._desk.destroy(handle)

    def attributes(self, handle: int) -> Attributes:
        """What a list shows of a key, or of any object. Raises CkrError KEY_HANDLE_INVALID."""
        return self._desk.find(handle, Ckr.KEY_HANDLE_INVALID).attributes

    def read_attribute(self, handle: int, attribute: int) -> bytes:
        """A byte string of an object, also the sealed CKA_VALUE of private data and certificates.

        Raises CkrError OBJECT_HANDLE_INVALID, USER_NOT_LOGGED_IN, ATTRIBUTE_SENSITIVE, ATTRIBUTE_TYPE_INVALID.
        """
        return self._desk.read(handle, attribute)

    def generate_random(self, count: int) -> bytes:
        """`count` random octets, at most 64 KiB. Raises CkrError ARGUMENTS_BAD."""
        if not 0 <= count <= limits.RANDOM_LIMIT:
            raise CkrError(Ckr.ARGUMENTS_BAD, f"at most {limits.RANDOM_LIMIT} random octets at a time")
        return self._random(count)

    def close(self) -> None:
        """The link session ended: its session objects and opened keys go, its tickets stay good."""
        self._access.close()
        self._desk.close()

    def _forget_private_objects(self) -> None:
        if Cku.USER not in self._access.users:
            self._desk.forget_private()
