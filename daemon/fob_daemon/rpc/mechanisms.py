"""Mechanisms on the wire, in both encodings (type `M`).

To p11-kit 0.25.5 a mechanism is its type (4 bytes) and its parameter, or 0xffffffff where the type takes none. From
0.25.6 on it is its type, then nothing where the type takes none, else a byte that says whether a parameter follows, and
the parameter. The client decides by a list that stands in its source; ours below must agree with it for each mechanism
that is served.
"""

from collections.abc import Callable
from typing import Final

from fob_daemon.rpc.wire import NULL_LENGTH, MalformedBodyError, Reader
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import (
    CtrParameters,
    Ecdh1Parameters,
    GcmParameters,
    Mechanism,
    OaepParameters,
    Parameters,
    PssParameters,
)

AES_BLOCK: Final = 16

# From 0.25.3 on this type stands for a NULL pointer, which cancels the active operation.
_NULL_MECHANISM: Final = NULL_LENGTH

WITHOUT_PARAMETERS = frozenset(
    {
        Ckm.RSA_PKCS_KEY_PAIR_GEN, Ckm.RSA_PKCS, Ckm.RSA_X_509, Ckm.SHA1_RSA_PKCS, Ckm.SHA224_RSA_PKCS,
        Ckm.SHA256_RSA_PKCS, Ckm.SHA384_RSA_PKCS, Ckm.SHA512_RSA_PKCS, Ckm.EC_KEY_PAIR_GEN, Ckm.ECDSA, Ckm.ECDSA_SHA1,
        Ckm.ECDSA_SHA224, Ckm.ECDSA_SHA256, Ckm.ECDSA_SHA384, Ckm.ECDSA_SHA512, Ckm.GENERIC_SECRET_KEY_GEN,
        Ckm.AES_KEY_GEN, Ckm.AES_ECB, Ckm.AES_MAC, Ckm.AES_CMAC, Ckm.DES3_KEY_GEN, Ckm.DES3_ECB, Ckm.MD5, Ckm.MD5_HMAC,
        Ckm.SHA_1, Ckm.SHA_1_HMAC, Ckm.SHA224, Ckm.SHA224_HMAC, Ckm.SHA256, Ckm.SHA256_HMAC, Ckm.SHA384,
        Ckm.SHA384_HMAC, Ckm.SHA512, Ckm.SHA512_HMAC,
    }
)  # fmt: skip


def _pss(reader: Reader) -> PssParameters:
    return PssParameters(hash_mechanism=reader.ulong(), mgf=reader.ulong(), salt_length=reader.ulong())


def _oaep(reader: Reader) -> OaepParameters:
    return OaepParameters(
        hash_mechanism=reader.ulong(),
        mgf=reader.ulong(),
        source=reader.ulong(),
        source_data=reader.raw_bytes() or b"",
    )


def _ecdh1(reader: Reader) -> Ecdh1Parameters:
    return Ecdh1Parameters(
        kdf=reader.ulong(), shared_data=reader.raw_bytes() or b"", public_data=reader.raw_bytes() or b""
    )


def _gcm(reader: Reader) -> GcmParameters:
    iv = reader.raw_bytes() or b""
    reader.ulong()  # ulIvBits repeats the length, and many callers leave it unset
    return GcmParameters(iv=iv, associated_data=reader.raw_bytes() or b"", tag_bits=reader.ulong())


def _ctr(reader: Reader) -> CtrParameters:
    return CtrParameters(counter_bits=reader.ulong(), counter_block=_block(reader))


def _block(reader: Reader) -> bytes:
    block = reader.raw_bytes() or b""
    if len(block) != AES_BLOCK:
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, f"{len(block)} bytes where {AES_BLOCK} belong")
    return block


WITH_PARAMETERS: dict[int, Callable[[Reader], Parameters]] = {
    Ckm.RSA_PKCS_PSS: _pss,
    Ckm.SHA1_RSA_PKCS_PSS: _pss,
    Ckm.SHA224_RSA_PKCS_PSS: _pss,
    Ckm.SHA256_RSA_PKCS_PSS: _pss,
    Ckm.SHA384_RSA_PKCS_PSS: _pss,
    Ckm.SHA512_RSA_PKCS_PSS: _pss,
    Ckm.RSA_PKCS_OAEP: _oaep,
    Ckm.ECDH1_DERIVE: _ecdh1,
    Ckm.AES_CBC: _block,
    Ckm.AES_CBC_PAD: _block,
    Ckm.AES_CTR: _ctr,
    Ckm.AES_GCM: _gcm,
}


def read_mechanism(reader: Reader) -> Mechanism | None:
    """`M`, None for a NULL pointer.

    Raises CkrError: MECHANISM_INVALID for a type that is not served, MECHANISM_PARAM_INVALID for a parameter of an
    impossible size. One that is missing is the operation's to judge: it may be that the mechanism is not for it at all.
    """
    mechanism = reader.u32()
    if mechanism == _NULL_MECHANISM:
        return None
    if mechanism in WITHOUT_PARAMETERS:
        if reader.legacy_mechanisms and reader.u32() != NULL_LENGTH:
            raise MalformedBodyError(f"mechanism {mechanism:#x} takes no parameter")
        return Mechanism(mechanism)
    read_parameters = WITH_PARAMETERS.get(mechanism)
    if read_parameters is None:
        raise CkrError(Ckr.MECHANISM_INVALID, f"mechanism {mechanism:#x} is not served")
    if not reader.legacy_mechanisms and not reader.byte():
        return Mechanism(mechanism)
    return Mechanism(mechanism, read_parameters(reader))


def parameter_update(mechanism: Mechanism) -> bytes:
    """`P` of C_DeriveKey2: no parameter that is served has a part that the token fills in."""
    return b"" if mechanism.type in WITHOUT_PARAMETERS else b"\x00"
