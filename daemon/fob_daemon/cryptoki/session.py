"""One session: its slot, its flags, its active operations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fob_daemon.cryptoki.interface import SessionInfo
from fob_daemon.cryptoki.key_use import KeyUse
from fob_daemon.cryptoki.login_state import LoginState
from fob_daemon.cryptoki.operation_slot import OperationSlot
from fob_daemon.cryptoki.operations.cipher import CipherOperation
from fob_daemon.cryptoki.operations.digest import DigestOperation
from fob_daemon.cryptoki.operations.sign import SignOperation
from fob_daemon.cryptoki.operations.verify import VerifyOperation
from fob_daemon.cryptoki.refusals import Refusals
from fob_daemon.device.slot import Slot
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cks, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import SessionFlag

# Flags of C_SessionCancel are those of the mechanisms that it ends (PKCS#11 v3.0, 5.6.10), and one for C_FindObjects.
CANCEL_FIND = 0x40
CANCEL_ENCRYPT = 0x100
CANCEL_DECRYPT = 0x200
CANCEL_DIGEST = 0x400
CANCEL_SIGN = 0x800
CANCEL_VERIFY = 0x2000

_STATES = {
    (None, False): Cks.RO_PUBLIC_SESSION,
    (None, True): Cks.RW_PUBLIC_SESSION,
    (Cku.USER, False): Cks.RO_USER_FUNCTIONS,
    (Cku.USER, True): Cks.RW_USER_FUNCTIONS,
    (Cku.SO, True): Cks.RW_SO_FUNCTIONS,
}


class Cancellable(Protocol):
    """An operation slot of any kind."""

    def cancel(self) -> None: ...


@dataclass(slots=True)
class Found:
    """What C_FindObjectsInit found and C_FindObjects has not given yet; `not_singly` is left out of one at a time."""

    handles: list[int]
    not_singly: frozenset[int] = frozenset()

    def take(self, limit: int) -> list[int]:
        """The next handles, at most `limit`."""
        if limit == 1 and self.not_singly:
            self.handles = [handle for handle in self.handles if handle not in self.not_singly]
        taken, self.handles = self.handles[:limit], self.handles[limit:]
        return taken


@dataclass(slots=True, eq=False)
class Session:
    """At most one active operation of each kind."""

    handle: int
    slot: Slot
    login: LoginState
    is_rw: bool
    finding: OperationSlot[Found] = field(default_factory=OperationSlot)
    digesting: OperationSlot[DigestOperation] = field(default_factory=OperationSlot)
    signing: OperationSlot[SignOperation] = field(default_factory=OperationSlot)
    verifying: OperationSlot[VerifyOperation] = field(default_factory=OperationSlot)
    encrypting: OperationSlot[CipherOperation] = field(default_factory=OperationSlot)
    decrypting: OperationSlot[CipherOperation] = field(default_factory=OperationSlot)
    refusals: Refusals = field(default_factory=Refusals)

    def info(self) -> SessionInfo:
        """CK_SESSION_INFO."""
        flags = SessionFlag.SERIAL_SESSION | (SessionFlag.RW_SESSION if self.is_rw else SessionFlag(0))
        return SessionInfo(self.slot.id, _STATES[self.login.user, self.is_rw], flags)

    def require_rw(self) -> None:
        """Raises CkrError SESSION_READ_ONLY."""
        if not self.is_rw:
            raise CkrError(Ckr.SESSION_READ_ONLY, "token objects and PINs change in read-write sessions")

    def require_trust(self, *templates: Template) -> None:
        """Raises CkrError ATTRIBUTE_READ_ONLY when a program that is not the security officer's sets CKA_TRUSTED.

        The device cannot tell: it may keep the officer's login for another program, or for the moments after a logout.
        """
        if self.login.user is not Cku.SO and any(template.get(Cka.TRUSTED) is True for template in templates):
            raise CkrError(Ckr.ATTRIBUTE_READ_ONLY, "only the security officer makes an object CKA_TRUSTED")

    def key_that_awaits_pin(self) -> KeyUse:
        """The key of the active operation that C_Login with CKU_CONTEXT_SPECIFIC is for.

        Raises CkrError OPERATION_NOT_INITIALIZED.
        """
        for operation in (self.signing.active, self.decrypting.active):
            if operation is not None and operation.key_use is not None and operation.key_use.awaits_pin:
                return operation.key_use
        raise CkrError(Ckr.OPERATION_NOT_INITIALIZED, "no active operation asks for a PIN of its own")

    def cancel(self, flags: int) -> None:
        """C_SessionCancel."""
        for flag, slot in self._slots():
            if flags & flag:
                slot.cancel()

    def cancel_all(self) -> None:
        """The session closes."""
        for _, slot in self._slots():
            slot.cancel()

    def cancel_private(self) -> None:
        """The user logged out: operations with private keys end, and so does a search that may have found some."""
        self.finding.cancel()
        for slot in (self.signing, self.decrypting):
            if slot.active is not None and slot.active.key_use is not None:
                slot.cancel()

    def _slots(self) -> Sequence[tuple[int, Cancellable]]:
        return (
            (CANCEL_FIND, self.finding),
            (CANCEL_DIGEST, self.digesting),
            (CANCEL_SIGN, self.signing),
            (CANCEL_VERIFY, self.verifying),
            (CANCEL_ENCRYPT, self.encrypting),
            (CANCEL_DECRYPT, self.decrypting),
        )
