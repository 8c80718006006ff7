"""Logins without a PIN, each way that PyKCS11 and python-pkcs11 have: how many private keys each shows."""

import os

import pkcs11
import PyKCS11

MODULE, LABEL = os.environ["PKCS11_MODULE"], os.environ["PKCS11_TOKEN_LABEL"]


def by_pykcs11(pin: str | None) -> int:
    """C_Login with a NULL pointer for None."""
    library = PyKCS11.PyKCS11Lib()
    library.load(MODULE)
    (slot,) = library.getSlotList(tokenPresent=True)
    assert library.getTokenInfo(slot).flags & PyKCS11.CKF_PROTECTED_AUTHENTICATION_PATH
    session = library.openSession(slot, PyKCS11.CKF_SERIAL_SESSION)
    session.login(pin)
    keys = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY)])
    session.logout()
    session.closeSession()
    return len(keys)


def by_python_pkcs11(pin: object) -> int:
    """PROTECTED_AUTH is a NULL pointer."""
    token = pkcs11.lib(MODULE).get_token(token_label=LABEL)
    with token.open(user_pin=pin) as session:
        return len(list(session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY})))


print(by_pykcs11(None), by_pykcs11(""), by_python_pkcs11(pkcs11.PROTECTED_AUTH), by_python_pkcs11(""))
