"""What a slot offers: what the device can do and we know how to ask for, and what the PC does alone."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fob_daemon.cryptoki.hash_table import ALL
from fob_daemon.cryptoki.limits import SECRET_SIZE_LIMIT
from fob_daemon.cryptoki.operations.aes import AES_MECHANISMS
from fob_daemon.cryptoki.operations.generate import KEY_PAIR_GENERATORS
from fob_daemon.cryptoki.operations.rsa_padding import RSA_CIPHERS
from fob_daemon.cryptoki.operations.wrap import AES_WRAPS
from fob_daemon.cryptoki.signature_schemes import SIGNATURE_SCHEMES
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import MechanismFlag
from fob_protocol.pkcs11.infos import MechanismInfo

_DIGEST: Final = MechanismInfo(0, 0, MechanismFlag.DIGEST)
_MAC: Final = MechanismInfo(1, SECRET_SIZE_LIMIT, MechanismFlag.SIGN | MechanismFlag.VERIFY)
_CIPHER: Final = MechanismInfo(16, 32, MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT)
_WRAP: Final = MechanismInfo(16, 32, MechanismFlag.WRAP | MechanismFlag.UNWRAP)

# Key sizes in octets.
PC_MECHANISMS: Final[Mapping[int, MechanismInfo]] = MappingProxyType(
    {
        **{int(function.mechanism): _DIGEST for function in ALL},
        **{int(function.hmac): _MAC for function in ALL},
        **{int(mechanism): _CIPHER for mechanism in sorted(AES_MECHANISMS)},
        **{int(mechanism): _WRAP for mechanism in sorted(AES_WRAPS)},
        int(Ckm.AES_KEY_GEN): MechanismInfo(16, 32, MechanismFlag.GENERATE),
        int(Ckm.GENERIC_SECRET_KEY_GEN): MechanismInfo(1, SECRET_SIZE_LIMIT, MechanismFlag.GENERATE),
    }
)
_DEVICE_MECHANISMS: Final = frozenset({*SIGNATURE_SCHEMES, *RSA_CIPHERS, *KEY_PAIR_GENERATORS, Ckm.ECDH1_DERIVE})


def offered(device: Mapping[int, MechanismInfo]) -> dict[int, MechanismInfo]:
    """The mechanisms of a slot whose device has those of `device`."""
    known = {mechanism: _of_device(mechanism, info) for mechanism, info in device.items()}
    return {m: info for m, info in known.items() if m in _DEVICE_MECHANISMS} | dict(PC_MECHANISMS)


def info_of(device: Mapping[int, MechanismInfo], mechanism: int) -> MechanismInfo:
    """C_GetMechanismInfo. Raises CkrError MECHANISM_INVALID."""
    info = offered(device).get(mechanism)
    if info is None:
        raise CkrError(Ckr.MECHANISM_INVALID, f"mechanism {mechanism:#x} is not offered")
    return info


def _of_device(mechanism: int, info: MechanismInfo) -> MechanismInfo:
    """CKF_HW: the device performs it; pkcs11-tool tests no other signatures. To wrap a session key is to encrypt it."""
    more = MechanismFlag.HW
    if mechanism in RSA_CIPHERS:
        more |= MechanismFlag.WRAP | MechanismFlag.UNWRAP
    return MechanismInfo(info.min_key_size, info.max_key_size, info.flags | more)
