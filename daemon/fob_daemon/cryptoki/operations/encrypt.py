"""C_Encrypt: with public keys and with secret keys of the PC, no round trip."""

from collections.abc import Awaitable, Callable

from cryptography.hazmat.primitives.asymmetric import rsa

from fob_daemon.cryptoki.key_use import require_key, require_key_type
from fob_daemon.cryptoki.objects import StoredObject
from fob_daemon.cryptoki.operations.aes import AES_MECHANISMS, begin_aes
from fob_daemon.cryptoki.operations.cipher import CipherOperation, CollectingCipher
from fob_daemon.cryptoki.operations.rsa_padding import RSA_CIPHERS, encryption_padding
from fob_daemon.cryptoki.public_keys import load_public_key
from fob_daemon.cryptoki.templates import octets
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism


def begin_encrypt(mechanism: Mechanism, key: StoredObject) -> CipherOperation:
    """C_EncryptInit. Raises CkrError."""
    if mechanism.type not in AES_MECHANISMS | RSA_CIPHERS:
        raise CkrError(Ckr.MECHANISM_INVALID, f"mechanism {mechanism.type:#x} does not encrypt")
    require_key(key, Cka.ENCRYPT, mechanism, Cko.PUBLIC_KEY, Cko.SECRET_KEY)
    if mechanism.type in AES_MECHANISMS:
        require_key_type(key, Ckk.AES)
        return begin_aes(mechanism, octets(key.attributes, Cka.VALUE), is_encryption=True)
    encrypt, size, limit = rsa_encryption(mechanism, key)
    return CollectingCipher(encrypt, lambda _: size, limit, Ckr.DATA_LEN_RANGE)


def rsa_encryption(mechanism: Mechanism, key: StoredObject) -> tuple[Callable[[bytes], Awaitable[bytes]], int, int]:
    """What encrypts, the octets it gives, and the most it takes. Raises CkrError."""
    require_key_type(key, Ckk.RSA)
    public = load_public_key(key.attributes)
    if not isinstance(public, rsa.RSAPublicKey):
        raise CkrError(Ckr.KEY_TYPE_INCONSISTENT, "an RSA public key is due")
    scheme, overhead = encryption_padding(mechanism)
    size = (public.key_size + 7) // 8
    if size < overhead:
        raise CkrError(Ckr.KEY_SIZE_RANGE, "the key is too small for this padding")

    async def encrypt(data: bytes) -> bytes:
        return public.encrypt(data, scheme)

    return encrypt, size, size - overhead
