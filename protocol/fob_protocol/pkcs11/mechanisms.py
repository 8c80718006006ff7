"""A mechanism with its parameter, typed (PKCS#11 v2.40 mechanisms)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PssParameters:
    """CK_RSA_PKCS_PSS_PARAMS: `hash_mechanism` CKM, `mgf` CKG, `salt_length` in bytes."""

    hash_mechanism: int
    mgf: int
    salt_length: int


@dataclass(frozen=True, slots=True)
class OaepParameters:
    """CK_RSA_PKCS_OAEP_PARAMS: `hash_mechanism` CKM, `mgf` CKG, `source` CKZ, `source_data` the label."""

    hash_mechanism: int
    mgf: int
    source: int
    source_data: bytes


@dataclass(frozen=True, slots=True)
class Ecdh1Parameters:
    """CK_ECDH1_DERIVE_PARAMS: `kdf` CKD, `shared_data`, and the other side's point (raw or DER octet string)."""

    kdf: int
    shared_data: bytes
    public_data: bytes


@dataclass(frozen=True, slots=True)
class GcmParameters:
    """CK_GCM_PARAMS: `iv`, associated data, tag length in bits."""

    iv: bytes
    associated_data: bytes
    tag_bits: int


@dataclass(frozen=True, slots=True)
class CtrParameters:
    """CK_AES_CTR_PARAMS: counter width in bits and the 16-byte counter block."""

    counter_bits: int
    counter_block: bytes


Parameters = PssParameters | OaepParameters | Ecdh1Parameters | GcmParameters | CtrParameters | bytes | None


@dataclass(frozen=True, slots=True)
class Mechanism:
    """CK_MECHANISM: `type` CKM, and its parameter (None where there is none, bytes where it is an IV)."""

    type: int
    parameters: Parameters = None
