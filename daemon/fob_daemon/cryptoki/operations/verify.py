"""C_Verify: on the PC, no round trip."""

import hmac
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from fob_daemon.cryptoki.hash_table import BY_HMAC, BY_MGF, HashFunction
from fob_daemon.cryptoki.heavy import compute
from fob_daemon.cryptoki.key_use import require_key, require_key_type
from fob_daemon.cryptoki.limits import INLINE_LIMIT, INLINE_MODULUS_BITS, MESSAGE_LIMIT
from fob_daemon.cryptoki.objects import StoredObject
from fob_daemon.cryptoki.operations.inputs import Collected, Hashed, Input
from fob_daemon.cryptoki.operations.mac import start_mac
from fob_daemon.cryptoki.operations.sign import ECDSA_INPUT_LIMIT, PKCS1_OVERHEAD
from fob_daemon.cryptoki.public_keys import ED25519_SIGNATURE, Curve, curve_of, load_public_key
from fob_daemon.cryptoki.signature_schemes import Family, SignatureScheme, pss_hash, require_room_for_salt, scheme_of
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism

# Checks a signature of the data; raises InvalidSignature or ValueError.
Check = Callable[[bytes, bytes], None]


class VerifyOperation:
    """Data comes in, then a signature of `length` octets; `is_heavy` for a key whose arithmetic leaves the loop."""

    def __init__(self, data: Input, length: int, check: Check, *, is_heavy: bool = False) -> None:
        self._data = data
        self._length = length
        self._check = check
        self._work = INLINE_LIMIT + 1 if is_heavy else 0
        self._has_parts = False

    async def verify(self, data: bytes, signature: bytes) -> None:
        """C_Verify. Raises CkrError SIGNATURE_LEN_RANGE or SIGNATURE_INVALID."""
        if self._has_parts:
            raise CkrError(Ckr.OPERATION_NOT_INITIALIZED, "C_VerifyFinal ends an operation in parts")
        await self._take(data)
        await self._judge(signature)

    async def update(self, part: bytes) -> None:
        """C_VerifyUpdate."""
        self._has_parts = True
        await self._take(part)

    async def final(self, signature: bytes) -> None:
        """C_VerifyFinal. Raises CkrError SIGNATURE_LEN_RANGE or SIGNATURE_INVALID."""
        await self._judge(signature)

    async def _take(self, part: bytes) -> None:
        await compute(len(part), lambda: self._data.update(part))

    async def _judge(self, signature: bytes) -> None:
        if len(signature) != self._length:
            raise CkrError(Ckr.SIGNATURE_LEN_RANGE, f"{len(signature)} octets, {self._length} are due")
        data = self._data.result()
        try:
            await compute(self._work, lambda: self._check(data, signature))
        except (InvalidSignature, ValueError):
            raise CkrError(Ckr.SIGNATURE_INVALID) from None


def begin_verify(mechanism: Mechanism, key: StoredObject) -> VerifyOperation:
    """C_VerifyInit. Raises CkrError."""
    require_key(key, Cka.VERIFY, mechanism, Cko.PUBLIC_KEY, Cko.SECRET_KEY)
    if mechanism.type in BY_HMAC:
        hasher, size = start_mac(mechanism, key)
        return VerifyOperation(Hashed(hasher), size, _same)
    scheme = scheme_of(mechanism)
    require_key_type(key, scheme.key_type)
    match load_public_key(key.attributes):
        case rsa.RSAPublicKey() as public:
            return _begin_rsa(public, mechanism, scheme)
        case ec.EllipticCurvePublicKey() as public:
            return _begin_ecdsa(public, curve_of(key.attributes), scheme)
        case ed25519.Ed25519PublicKey() as public:
            return VerifyOperation(Collected(MESSAGE_LIMIT), ED25519_SIGNATURE, _edwards(public))


def _same(mac: bytes, signature: bytes) -> None:
    if not hmac.compare_digest(mac, signature):
        raise InvalidSignature


def _begin_rsa(public: rsa.RSAPublicKey, mechanism: Mechanism, scheme: SignatureScheme) -> VerifyOperation:
    length = (public.key_size + 7) // 8
    limit = length - PKCS1_OVERHEAD
    if scheme.family is Family.PSS:
        require_room_for_salt(mechanism, scheme, public.key_size)
        parameters, function = pss_hash(mechanism, scheme)
        limit = function.size
        mgf = padding.MGF1(BY_MGF[parameters.mgf].algorithm)
        check = _prehashed(public, padding.PSS(mgf, parameters.salt_length), function)
    elif scheme.hash is not None:
        check = _prehashed(public, padding.PKCS1v15(), scheme.hash)
    else:
        check = _recovered(public)
    data: Input = Collected(limit) if scheme.hash is None else Hashed(scheme.hash.start())
    return VerifyOperation(data, length, check, is_heavy=public.key_size > INLINE_MODULUS_BITS)


def _prehashed(public: rsa.RSAPublicKey, scheme: padding.AsymmetricPadding, function: HashFunction) -> Check:
    return lambda digest, signature: public.verify(signature, digest, scheme, Prehashed(function.algorithm))


def _recovered(public: rsa.RSAPublicKey) -> Check:
    """CKM_RSA_PKCS signs any octets, a DigestInfo or not."""

    def check(data: bytes, signature: bytes) -> None:
        if public.recover_data_from_signature(signature, padding.PKCS1v15(), None) != data:
            raise InvalidSignature

    return check


def _edwards(public: ed25519.Ed25519PublicKey) -> Check:
    return lambda message, signature: public.verify(signature, message)


def _begin_ecdsa(public: ec.EllipticCurvePublicKey, curve: Curve, scheme: SignatureScheme) -> VerifyOperation:
    data: Input = Collected(ECDSA_INPUT_LIMIT) if scheme.hash is None else Hashed(scheme.hash.start())

    def check(digest: bytes, signature: bytes) -> None:
        r, s = (int.from_bytes(half) for half in (signature[: curve.size], signature[curve.size :]))
        # FIPS 186-5, 6.4.2: the leftmost bits as a number; any hash of that size stands for "a number so long".
        number = digest[: curve.size].rjust(curve.digest.size, b"\0")
        if len(number) > curve.digest.size:
            raise InvalidSignature
        public.verify(encode_dss_signature(r, s), number, ec.ECDSA(Prehashed(curve.digest.algorithm)))

    return VerifyOperation(data, 2 * curve.size, check)
