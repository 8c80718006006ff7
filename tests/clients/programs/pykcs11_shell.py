"""A client that stays: PyKCS11 with one session, told on standard input what to call; a line of answer for each line.

The answer is a result, the name of a CKR, or "no such key". The module, the token's label and the PIN come from the
environment.
"""

import os
import sys
from collections.abc import Callable

import PyKCS11
from PyKCS11 import CKA_CLASS, CKA_LABEL, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY

MECHANISMS = {
    "ECDSA": PyKCS11.CKM_ECDSA,
    "RSA_PKCS": PyKCS11.CKM_RSA_PKCS,
    "SHA256_RSA_PKCS": PyKCS11.CKM_SHA256_RSA_PKCS,
}


class NoSuchKeyError(Exception):
    """The session sees no key of that name."""


class Shell:
    """One application with one session."""

    def __init__(self) -> None:
        self._library = PyKCS11.PyKCS11Lib()
        self._library.load(os.environ["PKCS11_MODULE"])
        (slot,) = [
            slot
            for slot in self._library.getSlotList(tokenPresent=True)
            if self._library.getTokenInfo(slot).label.strip() == os.environ["PKCS11_TOKEN_LABEL"]
        ]
        self._slot = slot
        self._session = self._library.openSession(slot, PyKCS11.CKF_SERIAL_SESSION | PyKCS11.CKF_RW_SESSION)
        self.commands: dict[str, Callable[..., str]] = {
            "slots": self.slots,
            "info": self.info,
            "login": self.login,
            "logout": self.logout,
            "list": self.list,
            "sign": self.sign,
            "verify": self.verify,
            "random": self.random,
            "set-pin": self.set_pin,
        }

    def slots(self) -> str:
        return " ".join(map(str, self._library.getSlotList(tokenPresent=True)))

    def info(self) -> str:
        self._library.getInfo()
        return str(self._library.getTokenInfo(self._slot).label.strip())

    def login(self, pin: str | None = None) -> str:
        self._session.login(os.environ["PKCS11_PIN"] if pin is None else pin)
        return "OK"

    def logout(self) -> str:
        self._session.logout()
        return "OK"

    def list(self, kind: str) -> str:
        """The labels of the `private` or the `public` keys."""
        found = self._session.findObjects([(CKA_CLASS, CKO_PRIVATE_KEY if kind == "private" else CKO_PUBLIC_KEY)])
        return " ".join(self._session.getAttributeValue(key, [CKA_LABEL])[0] for key in found)

    def sign(self, label: str, mechanism: str, data: str) -> str:
        """The signature of hexadecimal data, hexadecimal."""
        key = self._key(CKO_PRIVATE_KEY, label)
        return bytes(self._session.sign(key, bytes.fromhex(data), self._mechanism(mechanism))).hex()

    def verify(self, label: str, mechanism: str, data: str, signature: str) -> str:
        key = self._key(CKO_PUBLIC_KEY, label)
        octets = bytes.fromhex(data), list(bytes.fromhex(signature))
        return str(self._session.verify(key, *octets, self._mechanism(mechanism)))

    def random(self, count: str) -> str:
        return bytes(self._session.generateRandom(int(count))).hex()

    def set_pin(self, old: str, new: str) -> str:
        self._session.setPin(old, new)
        return "OK"

    def _key(self, kind: int, label: str) -> object:
        found = self._session.findObjects([(CKA_CLASS, kind), (CKA_LABEL, label)])
        if not found:
            raise NoSuchKeyError
        return found[0]

    @staticmethod
    def _mechanism(name: str) -> object:
        return PyKCS11.Mechanism(MECHANISMS[name], None)


def main() -> None:
    """Answer until the end of the input."""
    shell = Shell()
    print("ready", flush=True)
    for line in sys.stdin:
        name, *arguments = line.split()
        try:
            print(shell.commands[name](*arguments), flush=True)
        except PyKCS11.PyKCS11Error as error:
            print(PyKCS11.CKR[error.value], flush=True)
        except NoSuchKeyError:
            print("no such key", flush=True)


if __name__ == "__main__":
    main()
