"""What python-pkcs11 can do with the phone, once through; prints a line for each thing done."""

import hashlib
import os
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

DATA = b"python-pkcs11 was here"
DIGEST = hashlib.sha256(DATA).digest()


def main() -> None:
    """The PIN comes from PKCS11_PIN. Raises what python-pkcs11 raises."""
    token = pkcs11.lib(os.environ["PKCS11_MODULE"]).get_token(token_label=os.environ["PKCS11_TOKEN_LABEL"])
    with token.open() as session:
        print("public:", *labels(session, ObjectClass.PUBLIC_KEY))
        print("private:", *labels(session, ObjectClass.PRIVATE_KEY))
    with token.open(rw=True, user_pin=os.environ["PKCS11_PIN"]) as session:
        print("private:", *labels(session, ObjectClass.PRIVATE_KEY))
        use_rsa(session)
        use_ec(session)
        make_rsa(session)


def labels(session: Any, kind: ObjectClass) -> list[str]:
    """Of the keys of a class that the session sees."""
    return sorted(key.label for key in session.get_objects({Attribute.CLASS: kind}))


def pair(session: Any, label: str) -> tuple[Any, Any]:
    """The public and the private key of a label."""
    public = session.get_key(object_class=ObjectClass.PUBLIC_KEY, label=label)
    return public, session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=label)


def use_rsa(session: Any) -> None:
    """Sign, verify, encrypt, decrypt."""
    public, private = pair(session, "RSA-2048")
    signature = private.sign(DATA, mechanism=Mechanism.SHA256_RSA_PKCS)
    print("RSA:", public.verify(DATA, signature, mechanism=Mechanism.SHA256_RSA_PKCS))
    print("forged:", public.verify(DATA + b"!", signature, mechanism=Mechanism.SHA256_RSA_PKCS))
    print("decrypted:", private.decrypt(public.encrypt(DATA)) == DATA)


def use_ec(session: Any) -> None:
    """Digest, sign, verify."""
    public, private = pair(session, "P-256")
    print("digest:", session.digest(DATA, mechanism=Mechanism.SHA256) == DIGEST)
    print("EC:", public.verify(DIGEST, private.sign(DIGEST, mechanism=Mechanism.ECDSA), mechanism=Mechanism.ECDSA))


def make_rsa(session: Any) -> None:
    """A pair of session keys, and their end."""
    public, private = session.generate_keypair(KeyType.RSA, 2048, store=False, label="brief")
    signature = private.sign(DATA, mechanism=Mechanism.SHA256_RSA_PKCS)
    print("made:", public.verify(DATA, signature, mechanism=Mechanism.SHA256_RSA_PKCS))
    private.destroy()
    public.destroy()


if __name__ == "__main__":
    main()
