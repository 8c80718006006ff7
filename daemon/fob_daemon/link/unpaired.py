"""A device and this computer are not paired any more."""

from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


class UnpairedError(CkrError):
    """CKR_DEVICE_REMOVED to programs, which forget the token: it does not come back by itself."""

    def __init__(self) -> None:
        super().__init__(Ckr.DEVICE_REMOVED, "the device was unpaired")
