"""Templates as clients send them, recorded from the programs themselves (values shortened to what a token looks at)."""

import pytest

from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.constants import Ckk, Cko
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.token_bench import EC_PAIR, EDWARDS_PAIR, P256, RSA_PAIR, Bench

RSA_2048: Attributes = {Cka.MODULUS_BITS: 2048, Cka.PUBLIC_EXPONENT: b"\x01\x00\x01"}
CURVE: Attributes = {Cka.EC_PARAMS: P256}
NAMES: Attributes = {Cka.LABEL: b"label", Cka.ID: b"\x01"}
PUBLIC: Attributes = {Cka.TOKEN: True, Cka.PRIVATE: False}
PRIVATE: Attributes = {Cka.TOKEN: True, Cka.PRIVATE: True, Cka.SENSITIVE: True}


def key(object_class: Cko, key_type: Ckk) -> Attributes:
    return {Cka.CLASS: object_class, Cka.KEY_TYPE: key_type}


PAIRS: dict[str, tuple[Mechanism, Attributes, Attributes]] = {
    "pkcs11-tool --keypairgen --key-type rsa:2048": (
        RSA_PAIR,
        key(Cko.PUBLIC_KEY, Ckk.RSA) | PUBLIC | RSA_2048 | NAMES | {Cka.VERIFY: True, Cka.ENCRYPT: True},
        key(Cko.PRIVATE_KEY, Ckk.RSA) | PRIVATE | NAMES | {Cka.SIGN: True, Cka.DECRYPT: True},
    ),
    "pkcs11-tool --keypairgen --key-type EC:prime256v1 --usage-derive": (
        EC_PAIR,
        key(Cko.PUBLIC_KEY, Ckk.EC) | PUBLIC | CURVE | NAMES | {Cka.DERIVE: True},
        key(Cko.PRIVATE_KEY, Ckk.EC) | PRIVATE | NAMES | {Cka.DERIVE: True},
    ),
    "pkcs11-tool --keypairgen --key-type EC:edwards25519": (
        EDWARDS_PAIR,
        key(Cko.PUBLIC_KEY, Ckk.EC_EDWARDS)
        | PUBLIC
        | NAMES
        | {Cka.EC_PARAMS: b"\x13\x0cedwards25519", Cka.VERIFY: True, Cka.DERIVE: True},
        key(Cko.PRIVATE_KEY, Ckk.EC_EDWARDS) | PRIVATE | NAMES | {Cka.SIGN: True, Cka.DERIVE: True},
    ),
    "certutil -S (RSA)": (
        RSA_PAIR,
        RSA_2048
        | {Cka.TOKEN: True, Cka.DERIVE: False, Cka.WRAP: True, Cka.VERIFY: True, Cka.VERIFY_RECOVER: False}
        | {Cka.ENCRYPT: True},
        PRIVATE | {Cka.DERIVE: False, Cka.UNWRAP: True, Cka.SIGN: True, Cka.DECRYPT: True},
    ),
    "certutil -S -k ec": (
        EC_PAIR,
        CURVE
        | {Cka.TOKEN: True, Cka.DERIVE: True, Cka.WRAP: False, Cka.VERIFY: True, Cka.VERIFY_RECOVER: False}
        | {Cka.ENCRYPT: False},
        PRIVATE | {Cka.DERIVE: True, Cka.UNWRAP: False, Cka.SIGN: True, Cka.DECRYPT: False},
    ),
    "keytool -genkeypair -keyalg EC": (EC_PAIR, CURVE, {}),
    "p11tool --generate-privkey ECDSA": (
        EC_PAIR,
        PUBLIC | CURVE | NAMES | {Cka.VERIFY: True},
        PRIVATE | NAMES | {Cka.SIGN: True},
    ),
}


@pytest.mark.clause("P2")
@pytest.mark.parametrize("client", PAIRS)
def test_key_pairs_as_clients_ask_for_them(bench: Bench, client: str) -> None:
    session = bench.user()
    mechanism, public_template, private_template = PAIRS[client]
    public, private = session.generate_key_pair(mechanism, public_template, private_template)
    for view, template in ((public, public_template), (private, private_template)):
        kept = {name: value for name, value in template.items() if name != Cka.EC_PARAMS}
        assert kept.items() <= view.attributes.items()
    plain = {RSA_PAIR.type: Ckm.RSA_PKCS, EC_PAIR.type: Ckm.ECDSA, EDWARDS_PAIR.type: Ckm.EDDSA}[mechanism.type]
    assert session.sign(private.handle, Mechanism(plain), bytes(32))
    session.set_attributes(private.handle, {Cka.ID: bytes(20)})


def test_keytool_stores_a_session_key_by_copying_and_naming_it(bench: Bench) -> None:
    session = bench.user()
    _, private = session.generate_key_pair(EC_PAIR, CURVE, {})
    stored = session.copy_object(private.handle, {Cka.TOKEN: True, Cka.ID: b"j"})
    assert (stored.attributes[Cka.TOKEN], stored.attributes[Cka.ID]) == (True, b"j")
