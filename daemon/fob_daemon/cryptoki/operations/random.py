"""C_GenerateRandom: the device's generator, one round trip."""

from fob_daemon.cryptoki.limits import RANDOM_LIMIT
from fob_daemon.device.remote_token import RemoteToken
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


async def generate_random(remote: RemoteToken, length: int) -> bytes:
    """Raises CkrError ARGUMENTS_BAD for more than one answer holds."""
    if length > RANDOM_LIMIT:
        raise CkrError(Ckr.ARGUMENTS_BAD, f"at most {RANDOM_LIMIT} random octets at once")
    return await remote.generate_random(length) if length else b""


def refuse_seed() -> None:
    """C_SeedRandom: raises CkrError; the device's generator takes no seed from the PC, and NSS goes on without."""
    raise CkrError(Ckr.RANDOM_SEED_NOT_SUPPORTED)
