"""C_Digest: on the PC, no round trip."""

from fob_daemon.cryptoki.hash_table import BY_MECHANISM
from fob_daemon.cryptoki.heavy import compute
from fob_daemon.cryptoki.interface import Output
from fob_daemon.cryptoki.objects import StoredObject
from fob_daemon.cryptoki.output import fits
from fob_daemon.cryptoki.templates import is_sensitive, octets
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism


class DigestOperation:
    """One hash. Raises CkrError MECHANISM_INVALID or MECHANISM_PARAM_INVALID at its start."""

    def __init__(self, mechanism: Mechanism) -> None:
        function = BY_MECHANISM.get(mechanism.type)
        if function is None:
            raise CkrError(Ckr.MECHANISM_INVALID, f"mechanism {mechanism.type:#x} does not hash")
        if mechanism.parameters not in (None, b""):
            raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "a hash has no parameter")
        self._size = function.size
        self._hasher = function.start()
        self._has_parts = False

    async def digest(self, data: bytes, room: int | None) -> Output:
        """C_Digest."""
        if self._has_parts:
            raise CkrError(Ckr.OPERATION_NOT_INITIALIZED, "C_DigestFinal ends an operation in parts")
        if not fits(self._size, room):
            return self._size
        await compute(len(data), lambda: self._hasher.update(data))
        return self._hasher.digest()

    async def update(self, part: bytes) -> None:
        """C_DigestUpdate."""
        self._has_parts = True
        await compute(len(part), lambda: self._hasher.update(part))

    def digest_key(self, key: StoredObject) -> None:
        """C_DigestKey: a secret key that may be read anyway. Raises CkrError KEY_INDIGESTIBLE."""
        if key.object_class != Cko.SECRET_KEY or is_sensitive(key.attributes):
            raise CkrError(Ckr.KEY_INDIGESTIBLE, "only a readable secret key is hashed")
        self._has_parts = True
        self._hasher.update(octets(key.attributes, Cka.VALUE))

    def final(self, room: int | None) -> Output:
        """C_DigestFinal."""
        return self._hasher.digest() if fits(self._size, room) else self._size
