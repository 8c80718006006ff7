"""COSE objects: another library reads and makes the same ones, and no changed octet goes through."""

from collections.abc import Callable

import cbor2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cwt import COSE, COSEAlgs, COSEHeaders, COSEKey
from cwt.cose_key_interface import COSEKeyInterface
from pyhpke import AEADId, CipherSuite, KDFId, KEMId

from fob_protocol.cose import encrypt0, hpke, sign1
from fob_protocol.cose.cbor import encode
from fob_protocol.cose.errors import CoseError, SealError, SignatureError
from fob_protocol.cose.headers import Context, key_id
from fob_protocol.cose.labels import Label

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER_PUBLIC = SIGNER.public_key().public_bytes_raw()
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
HOLDER = X25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
HOLDER_PUBLIC = HOLDER.public_key().public_bytes_raw()
KEY, IV = bytes(range(32)), bytes(12)
LABEL = Label.ANSWER
CONTEXT: Context = ["registration", b"digest"]
EXTERNAL = encode([LABEL, *CONTEXT])


def signed() -> bytes:
    return sign1.sign(SIGNER, LABEL, CONTEXT, b"payload")


def sealed() -> bytes:
    return encrypt0.seal(KEY, IV, LABEL, CONTEXT, b"payload")


def sealed_to() -> bytes:
    return hpke.seal_to(HOLDER_PUBLIC, LABEL, CONTEXT, b"payload")


def verify(octets: bytes) -> bytes:
    return sign1.verify(SIGNER_PUBLIC, LABEL, CONTEXT, octets)


def unseal(octets: bytes) -> bytes:
    return encrypt0.unseal(KEY, LABEL, CONTEXT, octets)[0]


def unseal_with(octets: bytes) -> bytes:
    return hpke.unseal_with(HOLDER, LABEL, CONTEXT, octets)


KINDS = [(signed, verify), (sealed, unseal), (sealed_to, unseal_with)]


def cwt_key() -> COSEKeyInterface:
    pem = SIGNER.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return COSEKey.from_pem(pem, kid=key_id(SIGNER_PUBLIC))


def test_another_library_verifies_what_is_signed() -> None:
    """It knows Ed25519 by the older name EdDSA (-8), so the signature is looked at within its structure."""
    tag = cbor2.loads(signed())
    protected, unprotected, payload, signature = tag.value
    assert (tag.tag, unprotected, cbor2.loads(protected)) == (18, {}, {1: -19, 4: key_id(SIGNER_PUBLIC)})
    SIGNER.public_key().verify(signature, cbor2.dumps(["Signature1", protected, EXTERNAL, payload], canonical=True))


def test_the_structure_that_is_signed_is_another_library_s() -> None:
    theirs = COSE.new().encode(
        b"payload",
        cwt_key(),
        protected={COSEHeaders.ALG: COSEAlgs.EDDSA, COSEHeaders.KID: key_id(SIGNER_PUBLIC)},
        external_aad=EXTERNAL,
    )
    protected, _, payload, signature = cbor2.loads(theirs).value
    SIGNER.public_key().verify(signature, encode(["Signature1", protected, EXTERNAL, payload]))


def test_another_library_opens_what_is_sealed() -> None:
    """It looks for the IV in the unprotected header only, so it is given there too."""
    tag = cbor2.loads(sealed())
    tag.value[1][5] = IV
    key = COSEKey.from_symmetric_key(KEY, alg="A256GCM")
    assert COSE.new().decode(cbor2.dumps(tag), key, external_aad=EXTERNAL) == b"payload"


def test_what_is_sealed_by_the_text_of_rfc_9052_is_opened() -> None:
    protected = cbor2.dumps({1: 3, 5: IV})
    structure = cbor2.dumps(["Encrypt0", protected, EXTERNAL])
    theirs = cbor2.CBORTag(16, [protected, {}, AESGCM(KEY).encrypt(IV, b"payload", structure)])
    assert encrypt0.unseal(KEY, LABEL, CONTEXT, cbor2.dumps(theirs)) == (b"payload", IV)


def test_another_library_opens_and_makes_what_is_sealed_to_a_key() -> None:
    suite = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)
    protected, _, ciphertext = cbor2.loads(sealed_to()).value
    info = cbor2.dumps(["Encrypt0", protected, EXTERNAL], canonical=True)
    private = suite.kem.deserialize_private_key(HOLDER.private_bytes_raw())
    assert suite.create_recipient_context(ciphertext[:32], private, info=info).open(ciphertext[32:]) == b"payload"

    enc, sender = suite.create_sender_context(suite.kem.deserialize_public_key(HOLDER_PUBLIC), info=info)
    theirs = cbor2.dumps(cbor2.CBORTag(16, [protected, {}, enc + sender.seal(b"payload")]), canonical=True)
    assert unseal_with(theirs) == b"payload"


@pytest.mark.parametrize(("make", "read"), KINDS)
def test_every_bit_counts(make: Callable[[], bytes], read: Callable[[bytes], bytes]) -> None:
    octets = make()
    assert read(octets) == b"payload"
    for bit in range(8 * len(octets)):
        changed = bytearray(octets)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CoseError):
            read(bytes(changed))


@pytest.mark.parametrize(("make", "read"), KINDS)
def test_octets_too_many_and_too_few(make: Callable[[], bytes], read: Callable[[bytes], bytes]) -> None:
    octets = make()
    for size in range(len(octets)):
        with pytest.raises(CoseError):
            read(octets[:size])
    with pytest.raises(CoseError, match="behind"):
        read(octets + b"\x00")


@pytest.mark.parametrize(("make", "read"), KINDS)
def test_an_unprotected_header_is_refused(make: Callable[[], bytes], read: Callable[[bytes], bytes]) -> None:
    tag = cbor2.loads(make())
    tag.value[1][4] = b"kid"
    with pytest.raises(CoseError, match="unprotected"):
        read(cbor2.dumps(tag))


@pytest.mark.parametrize("header", [{}, {1: -19}, {1: -8, 4: bytes(16)}, {1: -19, 4: bytes(15)}, {1: -19, 4: "x" * 16}])
def test_another_protected_header_is_refused(header: dict[int, object]) -> None:
    tag = cbor2.loads(signed())
    tag.value[0] = cbor2.dumps(header)
    with pytest.raises(CoseError, match="protected header"):
        verify(cbor2.dumps(tag))


def test_label_and_context_are_bound() -> None:
    cases: list[tuple[Label, Context]] = [(Label.REPORT, CONTEXT), (LABEL, []), (LABEL, ["registration", b"other"])]
    for label, context in cases:
        with pytest.raises(SignatureError, match="the signature is wrong"):
            sign1.verify(SIGNER_PUBLIC, label, context, signed())
        with pytest.raises(SealError):
            encrypt0.unseal(KEY, label, context, sealed())
        with pytest.raises(SealError):
            hpke.unseal_with(HOLDER, label, context, sealed_to())


def test_another_key() -> None:
    with pytest.raises(SignatureError, match="another key"):
        sign1.verify(OTHER.public_key().public_bytes_raw(), LABEL, CONTEXT, signed())
    with pytest.raises(SealError):
        encrypt0.unseal(bytes(32), LABEL, CONTEXT, sealed())
    with pytest.raises(SealError):
        hpke.unseal_with(X25519PrivateKey.from_private_bytes(bytes(32)), LABEL, CONTEXT, sealed_to())


@pytest.mark.parametrize("point", [bytes(32), (1).to_bytes(32, "little"), bytes(31)])
def test_nothing_is_sealed_to_a_key_whose_secret_everybody_knows(point: bytes) -> None:
    with pytest.raises(SealError, match="no X25519 key"):
        hpke.seal_to(point, LABEL, CONTEXT, b"payload")


def test_a_seal_made_with_a_point_of_low_order_does_not_open() -> None:
    tag = cbor2.loads(sealed_to())
    tag.value[2] = bytes(32) + tag.value[2][32:]
    with pytest.raises(SealError):
        unseal_with(cbor2.dumps(tag))


def test_who_is_named() -> None:
    assert sign1.signer_of(signed()) == key_id(SIGNER_PUBLIC)
    assert hpke.receiver_of(sealed_to()) == key_id(HOLDER_PUBLIC)
    assert sign1.unverified_payload(signed()) == b"payload"
