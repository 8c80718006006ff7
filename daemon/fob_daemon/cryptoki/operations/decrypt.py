"""C_Decrypt: with a key of the device one request, with secret keys of the PC none."""

from hashlib import sha256

from fob_daemon.cryptoki.key_use import KeyUse, require_key, require_key_type
from fob_daemon.cryptoki.login_state import LoginState
from fob_daemon.cryptoki.objects import StoredObject
from fob_daemon.cryptoki.operations.aes import AES_MECHANISMS, begin_aes
from fob_daemon.cryptoki.operations.cipher import CipherOperation, CollectingCipher
from fob_daemon.cryptoki.operations.rsa_padding import RSA_CIPHERS, encryption_padding
from fob_daemon.cryptoki.public_keys import modulus_size
from fob_daemon.cryptoki.refusals import Refusals
from fob_daemon.cryptoki.templates import octets
from fob_daemon.device.remote_token import PrivateInput
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism


def begin_decrypt(mechanism: Mechanism, key: StoredObject, login: LoginState, refusals: Refusals) -> CipherOperation:
    """C_DecryptInit. Raises CkrError."""
    if mechanism.type not in AES_MECHANISMS | RSA_CIPHERS:
        raise CkrError(Ckr.MECHANISM_INVALID, f"mechanism {mechanism.type:#x} does not decrypt")
    require_key(key, Cka.DECRYPT, mechanism, Cko.PRIVATE_KEY, Cko.SECRET_KEY)
    if mechanism.type in AES_MECHANISMS:
        require_key_type(key, Ckk.AES)
        return begin_aes(mechanism, octets(key.attributes, Cka.VALUE), is_encryption=False)
    require_key_type(key, Ckk.RSA)
    _, overhead = encryption_padding(mechanism)
    size = modulus_size(key.attributes)
    key_use = KeyUse.of(key, login)

    async def decrypt(data: bytes) -> bytes:
        digest = sha256(data).digest()
        return await refusals.ask(
            key_use.handle, mechanism, digest, lambda: decrypt_on_device(mechanism, key_use, data)
        )

    return CollectingCipher(decrypt, lambda _: size - overhead, size, Ckr.ENCRYPTED_DATA_LEN_RANGE, key_use)


async def decrypt_on_device(mechanism: Mechanism, key_use: KeyUse, data: bytes) -> bytes:
    """One request. Raises CkrError."""
    size = modulus_size(key_use.key.attributes)
    if len(data) != size:
        raise CkrError(Ckr.ENCRYPTED_DATA_LEN_RANGE, f"{len(data)} octets, {size} are due")
    named = None if mechanism.type == Ckm.RSA_PKCS else mechanism.type
    given = PrivateInput(key_use.handle, named, data, mechanism.parameters or None)
    return await key_use.ask("decrypt", lambda remote, caller: remote.decrypt(given, caller))
