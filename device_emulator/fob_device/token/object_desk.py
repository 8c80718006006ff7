"""Objects of one link session: made, copied, changed, destroyed, read."""

from collections.abc import Iterator

from fob_device.store.database import Database
from fob_device.token import limits
from fob_device.token.access import Access
from fob_device.token.keepers import Keeper
from fob_device.token.key_generation import generate_key
from fob_device.token.logins import Logins
from fob_device.token.making import Draft, changed_draft, check_pair, draft_object, draft_pair
from fob_device.token.mechanisms import entry_for, require_no_parameters
from fob_device.token.rules import RULES
from fob_device.token.session_objects import SessionObjects
from fob_device.token.template_check import check_change, check_copy, class_of
from fob_device.token.token_objects import TokenObjects
from fob_device.token.values import is_true
from fob_device.token.views import ObjectView
from fob_protocol.pkcs11.attributes import SECRET_VALUES, Attributes, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import MechanismFlag
from fob_protocol.pkcs11.mechanisms import Mechanism


class ObjectDesk:
    """Every change of objects passes here, after its rules and the login were checked."""

    def __init__(
        self, database: Database, access: Access, logins: Logins, token_objects: TokenObjects, handles: Iterator[int]
    ) -> None:
        self._database = database
        self._access = access
        self._logins = logins
        self._token_objects = token_objects
        self._session_objects = SessionObjects(handles)

    def find(self, handle: int, refusal: Ckr = Ckr.OBJECT_HANDLE_INVALID) -> ObjectView:
        """An object that this session may name. Raises CkrError with `refusal`."""
        view = self._keeper_of(handle).find(handle)
        if view is None:
            raise CkrError(refusal, f"no object {handle}")
        return view

    def secret(self, view: ObjectView) -> bytes | None:
        """The secret of an object. Raises CkrError USER_NOT_LOGGED_IN, DEVICE_ERROR."""
        return self._keeper_of(view.handle).secret(view.handle, self._access.user_login().master_key)

    def create(self, template: Template) -> ObjectView:
        """C_CreateObject."""
        draft = draft_object(template)
        self._check_right(draft.attributes, template)
        return self._add(draft)

    def generate_pair(
        self, mechanism: Mechanism, public_template: Template, private_template: Template
    ) -> tuple[ObjectView, ObjectView]:
        """C_GenerateKeyPair."""
        entry = entry_for(mechanism, MechanismFlag.GENERATE_KEY_PAIR)
        require_no_parameters(mechanism)
        public, private = check_pair(mechanism.type, entry, public_template, private_template)
        self._check_right(public, public_template)
        self._check_right(private, private_template)
        # Said before the seconds that a key takes.
        for attributes in (public, private):
            self._keeper_for(attributes).require_room(2)
        drafts = draft_pair(mechanism.type, public, private, generate_key(entry.key_type, public))
        with self._database.transaction():
            return self._add(drafts[0]), self._add(drafts[1])

    def copy(self, handle: int, template: Template) -> ObjectView:
        """C_CopyObject."""
        source = self.find(handle)
        if not is_true(source.attributes, Cka.COPYABLE):
            raise CkrError(Ckr.ACTION_PROHIBITED, "the object is not CKA_COPYABLE")
        check_copy(RULES[class_of(source.attributes)], template)
        if is_true(source.attributes, Cka.PRIVATE):
            self._access.user_login()
        draft = self._changed(source, template)
        self._check_right(draft.attributes, template)
        return self._add(draft)

    def change(self, handle: int, template: Template) -> ObjectView:
        """C_SetAttributeValue."""
        view = self.find(handle)
        if not is_true(view.attributes, Cka.MODIFIABLE):
            raise CkrError(Ckr.ACTION_PROHIBITED, "the object is not CKA_MODIFIABLE")
        check_change(RULES[class_of(view.attributes)], template)
        self._check_right(view.attributes, template)
        draft = self._changed(view, template)
        return self._keeper_of(handle).change(handle, draft, self._access.master_key())

    def destroy(self, handle: int) -> None:
        """C_DestroyObject."""
        self._access.require_writer(self.find(handle).attributes)
        self._keeper_of(handle).remove(handle)
        self._logins.forget_key(handle)

    def read(self, handle: int, attribute: int) -> bytes:
        """A byte-string attribute, also a sealed CKA_VALUE."""
        view = self.find(handle)
        if view.attributes.get(Cka.CLASS) == Cko.PRIVATE_KEY and attribute in SECRET_VALUES:
            raise CkrError(Ckr.ATTRIBUTE_SENSITIVE, "private keys stay inside")
        value = view.attributes.get(attribute)
        if value is None and attribute == Cka.VALUE and is_true(view.attributes, Cka.PRIVATE):
            value = self.secret(view)
        if not isinstance(value, bytes):
            raise CkrError(Ckr.ATTRIBUTE_TYPE_INVALID, f"object {handle} has no such byte string")
        return value

    def forget_private(self) -> None:
        """The user logged out: private session objects go."""
        self._session_objects.remove_private()

    def close(self) -> None:
        """The link session ended: its objects go."""
        self._session_objects.clear()

    def _check_right(self, attributes: Attributes, template: Template) -> None:
        self._access.require_writer(attributes)
        if is_true(template, Cka.TRUSTED) and Cku.SO not in self._access.users:
            raise CkrError(Ckr.ATTRIBUTE_READ_ONLY, "only the SO makes an object CKA_TRUSTED")

    def _changed(self, view: ObjectView, template: Template) -> Draft:
        is_private = is_true(view.attributes, Cka.PRIVATE)
        return changed_draft(view.attributes, self.secret(view) if is_private else None, template)

    def _add(self, draft: Draft) -> ObjectView:
        return self._keeper_for(draft.attributes).add(draft, self._access.master_key())

    def _keeper_for(self, attributes: Attributes) -> Keeper:
        return self._token_objects if is_true(attributes, Cka.TOKEN) else self._session_objects

    def _keeper_of(self, handle: int) -> Keeper:
        return self._token_objects if 0 < handle < limits.SESSION_HANDLE_BASE else self._session_objects
