"""AES with secret keys of the PC (PKCS#11 v2.40 mechanisms, 2.9 to 2.13)."""

from functools import partial
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import AEADEncryptionContext, Cipher, CipherContext, algorithms, modes

from fob_daemon.cryptoki.heavy import compute
from fob_daemon.cryptoki.limits import GCM_LIMIT
from fob_daemon.cryptoki.operations.cipher import CipherOperation, CollectingCipher
from fob_daemon.cryptoki.operations.stream import BLOCK, BlocksOnly, Chaining, Padded, StreamCipher, Unpadded
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import CtrParameters, GcmParameters, Mechanism

# What the cryptographic library takes, in octets and bits (NIST SP 800-38D allows the tags).
GCM_IV_SIZES: Final = range(8, 129)
GCM_TAG_BITS: Final = frozenset({32, 64, 96, 104, 112, 120, 128})

AES_MECHANISMS: Final = frozenset({Ckm.AES_ECB, Ckm.AES_CBC, Ckm.AES_CBC_PAD, Ckm.AES_CTR, Ckm.AES_GCM})


def begin_aes(mechanism: Mechanism, key: bytes, *, is_encryption: bool) -> CipherOperation:
    """C_EncryptInit or C_DecryptInit. Raises CkrError MECHANISM_PARAM_INVALID."""
    algorithm = algorithms.AES(key)
    match mechanism.type, mechanism.parameters:
        case Ckm.AES_ECB, None | b"":
            chaining: Chaining = BlocksOnly(is_encryption=is_encryption)
            mode: modes.ECB | modes.CBC | modes.CTR = modes.ECB()  # noqa: S305 - what the client asks for
        case Ckm.AES_CBC, bytes(iv) if len(iv) == BLOCK:
            chaining, mode = BlocksOnly(is_encryption=is_encryption), modes.CBC(iv)
        case Ckm.AES_CBC_PAD, bytes(iv) if len(iv) == BLOCK:
            chaining, mode = Padded() if is_encryption else Unpadded(), modes.CBC(iv)
        case Ckm.AES_CTR, CtrParameters() as counter if _is_counter(counter):
            chaining, mode = Counted(counter, is_encryption=is_encryption), modes.CTR(counter.counter_block)
        case Ckm.AES_GCM, GcmParameters() as gcm if len(gcm.iv) in GCM_IV_SIZES and gcm.tag_bits in GCM_TAG_BITS:
            return _begin_gcm(algorithm, gcm, is_encryption=is_encryption)
        case _:
            raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "the parameter does not fit this AES mechanism")
    cipher = Cipher(algorithm, mode)
    return StreamCipher(cipher.encryptor if is_encryption else cipher.decryptor, chaining)


def _is_counter(counter: CtrParameters) -> bool:
    return 1 <= counter.counter_bits <= 8 * BLOCK and len(counter.counter_block) == BLOCK


class Counted(Chaining):
    """CTR: any length, until a counter narrower than the block would wrap where the library would carry on."""

    def __init__(self, counter: CtrParameters, *, is_encryption: bool) -> None:
        self.too_long = Ckr.DATA_LEN_RANGE if is_encryption else Ckr.ENCRYPTED_DATA_LEN_RANGE
        width = 1 << counter.counter_bits
        self.limit = (width - int.from_bytes(counter.counter_block) % width) * BLOCK


class Tagged(Chaining):
    """GCM encryption: any length, and the tag at the end."""

    def __init__(self, tag_size: int) -> None:
        self._tag_size = tag_size

    def tail_length(self, pending: int) -> int:
        """The tag."""
        return self._tag_size

    def tail(self, context: CipherContext, pending: bytes) -> bytes:
        """The tag, its leftmost octets."""
        context.finalize()
        if not isinstance(context, AEADEncryptionContext):
            raise CkrError(Ckr.GENERAL_ERROR, "this context has no tag")
        return context.tag[: self._tag_size]


def _begin_gcm(algorithm: algorithms.AES, gcm: GcmParameters, *, is_encryption: bool) -> CipherOperation:
    tag_size = gcm.tag_bits // 8
    if is_encryption:
        return StreamCipher(partial(_gcm_encryptor, algorithm, gcm), Tagged(tag_size))

    async def decrypt(data: bytes) -> bytes:
        return await compute(len(data), lambda: _gcm_decrypt(algorithm, gcm, data))

    # No plaintext leaves before the tag is checked.
    return CollectingCipher(decrypt, lambda n: max(n - tag_size, 0), GCM_LIMIT, Ckr.ENCRYPTED_DATA_LEN_RANGE)


def _gcm_encryptor(algorithm: algorithms.AES, gcm: GcmParameters) -> CipherContext:
    context = Cipher(algorithm, modes.GCM(gcm.iv)).encryptor()
    context.authenticate_additional_data(gcm.associated_data)
    return context


def _gcm_decrypt(algorithm: algorithms.AES, gcm: GcmParameters, data: bytes) -> bytes:
    tag_size = gcm.tag_bits // 8
    if len(data) < tag_size:
        raise CkrError(Ckr.ENCRYPTED_DATA_LEN_RANGE, "shorter than its tag")
    mode = modes.GCM(gcm.iv, data[-tag_size:], min_tag_length=tag_size)
    context = Cipher(algorithm, mode).decryptor()
    context.authenticate_additional_data(gcm.associated_data)
    try:
        return context.update(data[:-tag_size]) + context.finalize()
    except InvalidTag:
        raise CkrError(Ckr.ENCRYPTED_DATA_INVALID, "the tag does not fit") from None
