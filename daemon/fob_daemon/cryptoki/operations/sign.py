"""C_Sign: the digest on the PC, then exactly one request, however it was called (P9)."""

from collections.abc import Awaitable, Callable
from hashlib import sha256

from fob_daemon.caller.tls import ClientVerify
from fob_daemon.cryptoki.hash_table import BY_HMAC, split_digest_info
from fob_daemon.cryptoki.heavy import compute
from fob_daemon.cryptoki.interface import Output
from fob_daemon.cryptoki.key_use import KeyUse, require_key, require_key_type
from fob_daemon.cryptoki.limits import MESSAGE_LIMIT
from fob_daemon.cryptoki.login_state import LoginState
from fob_daemon.cryptoki.objects import StoredObject
from fob_daemon.cryptoki.operations.inputs import Collected, Hashed, Input, Seen
from fob_daemon.cryptoki.operations.mac import start_mac
from fob_daemon.cryptoki.output import fits
from fob_daemon.cryptoki.public_keys import ED25519_SIGNATURE, curve_of, modulus_bits, modulus_size
from fob_daemon.cryptoki.refusals import Refusals
from fob_daemon.cryptoki.signature_schemes import Family, SignatureScheme, pss_hash, require_room_for_salt, scheme_of
from fob_daemon.cryptoki.templates import mechanisms
from fob_daemon.device.remote_token import PrivateInput
from fob_protocol.caller import Purpose
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism

# RFC 8017, 7.2.1 and 9.2: what PKCS#1 v1.5 padding takes of the modulus, at least.
PKCS1_OVERHEAD = 11
# CKM_ECDSA takes what the leftmost bits of are the digest; no hash is longer.
ECDSA_INPUT_LIMIT = 1024


class SignOperation:
    """Data comes in, `complete` makes the signature of it, which has `length` octets whatever the data."""

    def __init__(
        self, data: Input, length: int, complete: Callable[[bytes], Awaitable[bytes]], key_use: KeyUse | None = None
    ) -> None:
        self.key_use = key_use
        self._data = data
        self._length = length
        self._complete = complete
        self._has_parts = False

    async def sign(self, data: bytes, room: int | None) -> Output:
        """C_Sign."""
        if self._has_parts:
            raise CkrError(Ckr.OPERATION_NOT_INITIALIZED, "C_SignFinal ends an operation in parts")
        if not fits(self._length, room):
            return self._length
        await self._take(data)
        return await self._signature()

    async def update(self, part: bytes) -> None:
        """C_SignUpdate."""
        self._has_parts = True
        await self._take(part)

    async def final(self, room: int | None) -> Output:
        """C_SignFinal."""
        return await self._signature() if fits(self._length, room) else self._length

    async def _take(self, part: bytes) -> None:
        await compute(len(part), lambda: self._data.update(part))

    async def _signature(self) -> bytes:
        signature = await self._complete(self._data.result())
        if len(signature) != self._length:
            raise CkrError(Ckr.DEVICE_ERROR, f"a signature of {len(signature)} octets where {self._length} are due")
        return signature


def begin_sign(mechanism: Mechanism, key: StoredObject, login: LoginState, refusals: Refusals) -> SignOperation:
    """C_SignInit: a MAC with a session key of the PC, or a signature by the device. Raises CkrError."""
    require_key(key, Cka.SIGN, mechanism, Cko.PRIVATE_KEY, Cko.SECRET_KEY)
    if mechanism.type in BY_HMAC:
        hasher, size = start_mac(mechanism, key)
        return SignOperation(Hashed(hasher), size, _itself)
    scheme = scheme_of(mechanism)
    require_key_type(key, scheme.key_type)
    if scheme.family is Family.PSS:
        require_room_for_salt(mechanism, scheme, modulus_bits(key.attributes))
    key_use = KeyUse.of(key, login)
    request = SignatureRequest(key_use, mechanism, scheme)

    async def sign(data: bytes) -> bytes:
        return await refusals.ask(key_use.handle, mechanism, sha256(data).digest(), lambda: request.send(data))

    return SignOperation(request.start(), request.length(), sign, key_use)


async def _itself(mac: bytes) -> bytes:
    return mac


class SignatureRequest:
    """How one mechanism's signature is asked for with the fewest octets (docs/protocol.md, section 4)."""

    def __init__(self, key_use: KeyUse, mechanism: Mechanism, scheme: SignatureScheme) -> None:
        self._key_use = key_use
        self._attributes = key_use.key.attributes
        self._mechanism = mechanism
        self._scheme = scheme
        self._client_verify = ClientVerify()

    def start(self) -> Input:
        """What to make of the data; where that is no digest, it may tell what it is for."""
        if self._scheme.hash is None and self._scheme.family is not Family.EDDSA:
            return self._input()
        return Seen(self._input(), self._client_verify.update)

    def _input(self) -> Input:
        scheme = self._scheme
        if scheme.hash is not None:
            return Hashed(scheme.hash.start())
        match scheme.family:
            case Family.PKCS1:
                return Collected(modulus_size(self._attributes) - PKCS1_OVERHEAD)
            case Family.PSS:
                return Collected(pss_hash(self._mechanism, scheme)[1].size)
            case Family.ECDSA:
                return Collected(ECDSA_INPUT_LIMIT)
            case Family.EDDSA:
                return Collected(MESSAGE_LIMIT)

    def length(self) -> int:
        """Octets of the signature."""
        match self._scheme.family:
            case Family.PKCS1 | Family.PSS:
                return modulus_size(self._attributes)
            case Family.ECDSA:
                return 2 * curve_of(self._attributes).size
            case Family.EDDSA:
                return ED25519_SIGNATURE

    async def send(self, data: bytes) -> bytes:
        """The one request."""
        named, octets = self._shortened(data)
        given = PrivateInput(self._key_use.handle, named, octets, self._mechanism.parameters or None)
        purpose = Purpose.TLS_CLIENT if self._client_verify.is_tls_client else Purpose.UNKNOWN
        return await self._key_use.ask(
            "sign",
            lambda remote, caller: remote.sign(given, caller),
            purpose,
        )

    def _shortened(self, data: bytes) -> tuple[int | None, bytes]:
        """The mechanism to name, None for the key type's plain one, and the octets to send."""
        match self._mechanism.type:
            case Ckm.RSA_PKCS:
                return self._without_digest_info(data)
            case Ckm.ECDSA:
                return None, data[: curve_of(self._attributes).size]
            case Ckm.EDDSA:
                return None, data
        return self._mechanism.type, data

    def _without_digest_info(self, data: bytes) -> tuple[int | None, bytes]:
        """The bare digest, so that the device knows what it signs, unless the key may not be used so."""
        split = split_digest_info(data)
        if split is None:
            return None, data
        function, digest = split
        allowed = mechanisms(self._attributes)
        return (function.rsa, digest) if not allowed or function.rsa in allowed else (None, data)
