"""The device is away, so that a request was not even sent."""

from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


class AwayError(CkrError):
    """CKR_DEVICE_ERROR to programs, as for a link that was lost; who talks to a person can tell the two apart."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(Ckr.DEVICE_ERROR, reason or "the device is away")
