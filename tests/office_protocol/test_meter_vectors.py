"""The published vectors are those of the code, and the code takes what stands there."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from fob_daemon.metering.drawing.matrix import matrix_of
from fob_protocol.cose import mac0, sign1
from fob_protocol.cose.labels import Label
from fob_protocol.metering.frame import read_frame
from fob_protocol.metering.indicium import is_signed_token, is_token, read_indicium
from fob_protocol.metering.log.checkpoint import origin_of, read_checkpoint
from fob_protocol.metering.log.hashes import leaf_hash
from fob_protocol.metering.login import open_password
from fob_protocol.metering.requests import Ask, read_authenticated
from fob_protocol.metering.transaction import read_transaction
from fob_protocol.office import envelope
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.envelope import Asked, Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal
from office_protocol import make_meter_vectors as made

TEXT = made.FILE.read_text(encoding="utf-8")
VECTORS: dict[str, Any] = json.loads(TEXT)


def octets(*path: str) -> bytes:
    """Of the vector that stands there."""
    value: Any = VECTORS
    for name in path:
        value = value[name]
    return bytes.fromhex(value)


def unsealing(*path: str) -> X25519PrivateKey:
    """Whoever something is sealed to."""
    return X25519PrivateKey.from_private_bytes(octets(*path, "receiver", "private"))


def test_the_file_is_what_is_made() -> None:
    assert made.as_text() == TEXT, "PYTHONPATH=tests python -m office_protocol.make_meter_vectors"


@pytest.mark.clause("M25", "M27")
def test_the_indicium_is_read_and_both_its_tokens_are_right() -> None:
    indicium = VECTORS["indicium"]
    coded, signed = (read_frame(indicium[frame]) for frame in ("frame", "frame with signature"))
    assert coded.indicium == signed.indicium == octets("indicium", "octets")
    assert is_token(octets("indicium", "token key"), read_indicium(coded), coded.token)
    assert is_signed_token(octets("indicium", "signature key"), read_indicium(signed), signed.token)


def test_the_codes_have_the_sizes_of_the_document() -> None:
    sizes = [matrix_of(VECTORS["indicium"][frame]).size for frame in ("frame", "frame with signature")]
    assert sizes == [40, 48]
    assert "40 by 40 for a letter with a token, 48 by 48 with a signature" in made.DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.clause("M6")
def test_the_transaction_is_the_boxs_and_shows_this_indicium() -> None:
    record = read_transaction(octets("transaction record", "transaction box", "public"), signed_transaction())
    assert record == made.a_transaction()
    assert record.indicia[0].indicium == octets("indicium", "octets")
    assert record.request_id == read_authenticated(octets("request", "octets")).request_id
    assert leaf_hash(octets("transaction record", "leaf")) == octets("transaction record", "leaf hash")


def signed_transaction() -> bytes:
    return octets("transaction record", "signed")


@pytest.mark.clause("M23")
def test_the_checkpoint_is_of_a_log_of_that_transaction() -> None:
    box = octets("transaction record", "transaction box", "public")
    origin = origin_of(octets("checkpoint", "manufacturing box", "public"))
    checkpoint = read_checkpoint([box], origin, octets("checkpoint", "signed"))
    assert (checkpoint.size, checkpoint.root) == (1, octets("transaction record", "leaf hash"))


@pytest.mark.clause("M19")
def test_the_request_has_its_code() -> None:
    ask = read(Ask, octets("request", "body"))
    key = octets("request", "user authentication key")
    assert mac0.check(key, Label.METERING_REQUEST, [], ask.authenticated) == octets("request", "octets")


@pytest.mark.clause("M14")
def test_the_password_opens_for_its_box() -> None:
    request = replace(made.a_sign_on(), password=octets("password", "sealed"))
    assert open_password(unsealing("password"), request) == VECTORS["password"]["password"]


def test_the_question_opens_and_has_the_request_in_it() -> None:
    sealed = octets("question", "question", "sealed")
    question = envelope.open_question(unsealing("question", "question"), Service.METERING, sealed)
    assert question.body == octets("request", "body")
    assert digest(sealed) == octets("question", "question", "digest")


def test_the_answer_is_the_servers_refusal() -> None:
    asked = Asked(
        Service.METERING, a_certificate(), octets("question", "question", "sealed"), unsealing("question", "answer")
    )
    with pytest.raises(RefusedError) as refused:
        asked.open(octets("question", "answer", "sealed"))
    assert (refused.value.refusal, refused.value.said) == (Refusal.OVER_LIMIT, "at most EUR 1.00 for a piece")


def a_certificate() -> Certificate:
    keys = (octets("question", "server", "public"), octets("question", "question", "receiver", "public"))
    return Certificate("metering", "Metering", (Usage.METERING,), *keys, 1, 0, made.TIME)


def test_what_is_signed_is_what_the_signature_is_over() -> None:
    for of in ("transaction record", "checkpoint"):
        box = Ed25519PrivateKey.from_private_bytes(octets("transaction record", "transaction box", "private"))
        signed = octets(of, "signed")
        assert signed.endswith(box.sign(octets(of, "what is signed")))
        assert sign1.unverified_payload(signed) in octets(of, "what is signed")
