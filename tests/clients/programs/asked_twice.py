"""A call that the phone's person is asked about, tried twice in one session: prints the name of each answer.

The argument names the call; module, token and PIN come from the environment.
"""

import os
import sys
from collections.abc import Callable

import PyKCS11
from PyKCS11 import (
    CKA_CLASS,
    CKA_DECRYPT,
    CKA_ENCRYPT,
    CKA_KEY_TYPE,
    CKA_MODULUS_BITS,
    CKA_PUBLIC_EXPONENT,
    CKA_SIGN,
    CKA_TOKEN,
    CKA_UNWRAP,
    CKK_AES,
    CKO_SECRET_KEY,
)

RSA = PyKCS11.Mechanism(PyKCS11.CKM_RSA_PKCS, None)
SECRET = bytes(16)
AES_KEY = [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_TOKEN, False)]
PUBLIC = [(CKA_MODULUS_BITS, 2048), (CKA_PUBLIC_EXPONENT, (1, 0, 1)), (CKA_ENCRYPT, True)]
PRIVATE = [(CKA_SIGN, True), (CKA_DECRYPT, True), (CKA_UNWRAP, True)]


class Calls:
    """The calls, on a session that the user has logged in to, with a key of the session."""

    def __init__(self) -> None:
        library = PyKCS11.PyKCS11Lib()
        library.load(os.environ["PKCS11_MODULE"])
        slot = next(
            slot
            for slot in library.getSlotList(tokenPresent=True)
            if library.getTokenInfo(slot).label.strip() == os.environ["PKCS11_TOKEN_LABEL"]
        )
        self._session = library.openSession(slot, PyKCS11.CKF_SERIAL_SESSION | PyKCS11.CKF_RW_SESSION)
        self._is_logged_in = False
        self._login(PyKCS11.CKU_USER)
        self._public, self._private = self._session.generateKeyPair(PUBLIC, PRIVATE)

    def sign(self) -> None:
        """Something else each time."""
        self._session.sign(self._private, os.urandom(16), RSA)

    def decrypt(self) -> None:
        assert bytes(self._session.decrypt(self._private, self._encrypted(), RSA)) == SECRET

    def unwrap(self) -> None:
        self._session.unwrapKey(self._private, self._encrypted(), AES_KEY, RSA)

    def set_pin(self) -> None:
        self._session.setPin("", "")

    def login(self) -> None:
        self._login(PyKCS11.CKU_USER)

    def so_login(self) -> None:
        self._login(PyKCS11.CKU_SO)

    def _login(self, user: int) -> None:
        if self._is_logged_in:
            self._session.logout()
            self._is_logged_in = False
        self._session.login(os.environ["PKCS11_PIN"], user)
        self._is_logged_in = True

    def _encrypted(self) -> bytes:
        """With another padding each time."""
        return bytes(self._session.encrypt(self._public, SECRET, RSA))


def answer(call: Callable[[], None]) -> str:
    """OK, or the name of the CKR."""
    try:
        call()
    except PyKCS11.PyKCS11Error as error:
        return str(PyKCS11.CKR[error.value])
    return "OK"


def main() -> None:
    """One line for the call that the argument names."""
    call = getattr(Calls(), sys.argv[1])
    print(answer(call), answer(call))


if __name__ == "__main__":
    main()
