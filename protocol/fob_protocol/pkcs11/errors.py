"""The one exception that carries a Cryptoki return value."""

from fob_protocol.pkcs11.ckr import Ckr


class CkrError(Exception):
    """A Cryptoki function ends with `ckr`; `reason` says why in words fit for a log (never a secret)."""

    def __init__(self, ckr: Ckr, reason: str = "") -> None:
        self.ckr = ckr
        self.reason = reason
        super().__init__(f"CKR_{ckr.name}" + (f": {reason}" if reason else ""))
