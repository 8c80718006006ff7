"""Signatures from many threads while the token is being changed; and the mechanisms that it lists."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.flags import MechanismFlag
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.token_bench import RSA_PAIR, USER_PIN, Bench, data_template, make_ed25519

EDDSA = Mechanism(Ckm.EDDSA)


def test_signatures_go_on_from_all_threads_while_another_changes_the_token(bench: Bench) -> None:
    session = bench.user()
    pairs = [make_ed25519(session) for _ in range(3)]
    stop = threading.Event()

    def sign_until_the_end(number: int) -> int:
        public, private = pairs[number % len(pairs)]
        point = public.attributes[Cka.EC_POINT]
        assert isinstance(point, bytes)
        key = ed25519.Ed25519PublicKey.from_public_bytes(point[2:])
        count = 0
        while count == 0 or not stop.is_set():
            message = b"%d %d" % (number, count)
            key.verify(session.sign(private.handle, EDDSA, message), message)
            bench.token.changes_since(0, limit_bytes=500)
            bench.token.info()
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        signers = [pool.submit(sign_until_the_end, number) for number in range(4)]
        try:
            other = bench.session()
            for _ in range(5):
                login = other.login(Cku.USER, USER_PIN)
                view = other.create_object(data_template(b"x", PRIVATE=True))
                other.set_attributes(view.handle, {Cka.LABEL: b"y"})
                other.destroy_object(view.handle)
                other.logout(login.id)
            session.generate_key_pair(RSA_PAIR, {Cka.MODULUS_BITS: 2048}, {})
        finally:
            stop.set()
        assert all(signer.result() >= 1 for signer in signers)
    assert bench.token.generation == 6 + 3 * 5


RSA = (2048, 4096)
EC = (256, 521)
SIGN = MechanismFlag.SIGN | MechanismFlag.VERIFY
CRYPT = MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT
PAIR = MechanismFlag.GENERATE_KEY_PAIR
CURVES = MechanismFlag.EC_F_P | MechanismFlag.EC_NAMEDCURVE | MechanismFlag.EC_UNCOMPRESS


@pytest.mark.clause("P2", "P11")
def test_the_mechanisms_are_these_and_no_others(bench: Bench) -> None:
    hashes = ("SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
    expected = {
        Ckm.RSA_PKCS_KEY_PAIR_GEN: (*RSA, PAIR),
        Ckm.RSA_PKCS: (*RSA, SIGN | CRYPT),
        Ckm.RSA_PKCS_PSS: (*RSA, SIGN),
        Ckm.RSA_PKCS_OAEP: (*RSA, CRYPT),
        Ckm.EC_KEY_PAIR_GEN: (*EC, PAIR | CURVES),
        Ckm.ECDSA: (*EC, SIGN | CURVES),
        Ckm.ECDH1_DERIVE: (*EC, MechanismFlag.DERIVE | CURVES),
        Ckm.EC_EDWARDS_KEY_PAIR_GEN: (255, 255, PAIR | CURVES),
        Ckm.EDDSA: (255, 255, SIGN | CURVES),
    }
    for name in hashes:
        expected[Ckm[f"{name}_RSA_PKCS"]] = (*RSA, SIGN)
        expected[Ckm[f"{name}_RSA_PKCS_PSS"]] = (*RSA, SIGN)
        expected[Ckm[f"ECDSA_{name}"]] = (*EC, SIGN | CURVES)
    table = bench.token.mechanisms()
    assert {m: (info.min_key_size, info.max_key_size, info.flags) for m, info in table.items()} == expected
