"""C_GenerateRandom: the device's generator, a round trip for each RANDOM_PART octets."""

from fob_daemon.cryptoki.limits import RANDOM_LIMIT, RANDOM_PART
from fob_daemon.device.remote_token import RemoteToken
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


async def generate_random(remote: RemoteToken, length: int) -> bytes:
    """Raises CkrError ARGUMENTS_BAD for more than RANDOM_LIMIT."""
    if length > RANDOM_LIMIT:
        raise CkrError(Ckr.ARGUMENTS_BAD, f"at most {RANDOM_LIMIT} random octets at once")
    parts = [await remote.generate_random(min(RANDOM_PART, length - at)) for at in range(0, length, RANDOM_PART)]
    return b"".join(parts)


def refuse_seed() -> None:
    """C_SeedRandom: raises CkrError; the device's generator takes no seed from the PC, and NSS goes on without."""
    raise CkrError(Ckr.RANDOM_SEED_NOT_SUPPORTED)
