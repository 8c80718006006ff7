"""A request whose answer was lost for good, so that nobody knows what became of it."""

from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


class FateUnknownError(CkrError):
    """CKR_DEVICE_ERROR to programs, as for a device that failed; who talks to a person can tell the two apart."""

    def __init__(self, reason: str) -> None:
        super().__init__(Ckr.DEVICE_ERROR, reason)
