"""Make the test vectors of the meter protocol anew, of keys that everybody can make again.

PYTHONPATH=tests python -m office_protocol.make_meter_vectors
"""

import json
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fob_office.centre.following import PER_USE, REFILL, SETTLEMENT, derived_digest, rule_digest
from fob_office.centre.journal import place_of, sign_on_place, sign_up_place
from fob_protocol.cose.cbor import Value, encode, encode_tagged
from fob_protocol.cose.headers import Algorithm, Context, Parameter, Tag, key_id, protected_header
from fob_protocol.cose.labels import Label
from fob_protocol.cose.structures import encrypt0_structure
from fob_protocol.metering.frame import frame_text
from fob_protocol.metering.indicium import Indicium, addressee_digest, make_token, normalised, sign_token
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.log.checkpoint import Checkpoint, origin_of
from fob_protocol.metering.log.entry import Entry, Kind
from fob_protocol.metering.log.tree import Frontier
from fob_protocol.metering.requests import Ask, FrankRequest, Piece, SignOnRequest, account_of, authenticated
from fob_protocol.metering.transaction import TransactionRecord
from fob_protocol.metering.values import Indicated
from fob_protocol.office.envelope import Answer, Question, Refused, Service
from fob_protocol.office.hashing import derive, digest
from fob_protocol.office.message import Message
from fob_protocol.office.refusals import Refusal
from integrity.made_up import made_up
from office_protocol import second_hpke

FILE: Final = Path(__file__).with_name("meter_vectors.json")
DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "meter-protocol.md"
TITLE: Final = "Fob meter protocol, version 1 (docs/meter-protocol.md and docs/office-protocol.md)"

TIME: Final = 1_795_000_000
SERIAL: Final = "FM01000000428"
ADDRESS: Final = "Erika  Mustermann,\nHauptstra\N{LATIN SMALL LETTER SHARP S}e 5\n20095 Hamburg"
REQUEST_ID: Final = made_up("request id", 16)
ACCOUNT: Final = made_up("account", 16)
PASSWORD: Final = "correct horse battery"
KEY_VERSION: Final = 1

Vector = dict[str, Any]


def vectors() -> dict[str, Any]:
    """All, by what they are of. Octets are in hexadecimal."""
    return {
        "title": TITLE,
        "indicium": _of_indicium(),
        "request": _of_request(),
        "transaction record": _of_transaction(),
        "checkpoint": _of_checkpoint(),
        "password": _of_password(),
        "question": _of_question(),
        "derived": _of_derived(),
    }


def _of_indicium() -> Vector:
    indicium, public = an_indicium(), signature_key()
    content: list[Value] = ["fob/1 indicium", fields(indicium)]
    return {
        "address": ADDRESS,
        "normalised": normalised(ADDRESS),
        "vendor key": made_up("vendor key", 32).hex(),
        "postal key": made_up("postal key", 32).hex(),
        "token key": token_key().hex(),
        "fields": shown(fields(indicium)),
        "octets": indicium.octets().hex(),
        "digest": digest(indicium.octets()).hex(),
        "the token is over": encode(content).hex(),
        "token": make_token(token_key(), indicium).hex(),
        "frame": frame_text(indicated()),
        "signature seed": public.private_bytes_raw().hex(),
        "signature key": public.public_key().public_bytes_raw().hex(),
        "signature": sign_token(public, indicium).hex(),
        "frame with signature": frame_text(Indicated(indicium.octets(), sign_token(public, indicium))),
    }


def _of_request() -> Vector:
    key, request = made_up("user authentication key", 32), a_request()
    asked = authenticated(key, request)
    return {
        "user authentication key": key.hex(),
        "fields": shown(fields(request)),
        "octets": request.octets().hex(),
        "digest": digest(request.octets()).hex(),
        "authenticated": asked.hex(),
        "body": Ask(asked).octets().hex(),
    }


def _of_transaction() -> Vector:
    record, box = a_transaction(), a_box()
    signed = record.signed(box)
    return {
        "transaction box": pair(box),
        "fields": shown(fields(record)),
        "octets": record.octets().hex(),
        "what is signed": to_be_signed(box, Label.TRANSACTION_RECORD, record.octets()).hex(),
        "signed": signed.hex(),
        "leaf": an_entry().octets().hex(),
        "leaf hash": an_entry().hash().hex(),
    }


def _of_checkpoint() -> Vector:
    manufacturing, checkpoint = signing("manufacturing box"), a_checkpoint()
    return {
        "manufacturing box": pair(manufacturing),
        "fields": shown(fields(checkpoint)),
        "what is signed": to_be_signed(a_box(), Label.CHECKPOINT, checkpoint.octets()).hex(),
        "signed": checkpoint.signed(a_box()).hex(),
    }


def _of_password() -> Vector:
    request = a_sign_on()
    context: list[Value] = [request.name, request.request_id, request.signing_key, request.sealing_key]
    sealing = X25519PrivateKey.from_private_bytes(made_up("authentication box", 32))
    return {
        "password": PASSWORD,
        "context": shown(context),
        **sealed(sealing, "ephemeral of the password", Label.LOGIN, context, PASSWORD.encode()),
    }


def _of_question() -> Vector:
    """With an answer: a refusal."""
    server, reply = (X25519PrivateKey.from_private_bytes(made_up(name, 32)) for name in ("server sealing", "reply"))
    signer = signing("server signing")
    body = Ask(authenticated(made_up("user authentication key", 32), a_request())).octets()
    question = Question(made_up("nonce", 16), reply.public_key().public_bytes_raw(), body)
    asked = sealed(server, "ephemeral of the question", Label.QUESTION, [Service.METERING], question.octets())
    context: Context = [Service.METERING, digest(bytes.fromhex(asked["sealed"]))]
    refused = Refused(Refusal.OVER_LIMIT, None, "at most EUR 1.00 for a piece").octets()
    payload = Answer(TIME + 2, refused).octets()
    signed = sign1(signer, Label.ANSWER, context, payload)
    return {
        "fields": shown(fields(question)),
        "question": asked,
        "server": pair(signer),
        "refusal": refused.hex(),
        "answer signed": signed.hex(),
        "answer": sealed(reply, "ephemeral of the answer", Label.ANSWER, context, signed),
    }


def _of_derived() -> Vector:
    frank = digest(a_request().octets())
    refill = derived_digest(REFILL, SERIAL, 7)
    return {
        "serial": SERIAL,
        "counter": 7,
        "request of a refill": refill.hex(),
        "request of what is missing per use": derived_digest(PER_USE, SERIAL, [frank, 7]).hex(),
        "request of a settlement": derived_digest(SETTLEMENT, SERIAL, 7).hex(),
        "rule of a refill below 2000": rule_digest(2000).hex(),
        "place of the request": place_of(SERIAL, REQUEST_ID, frank).hex(),
        "place of the refill": place_of(SERIAL, refill[:16], refill).hex(),
        "place of a sign-up": sign_up_place(REQUEST_ID).hex(),
        "place of a sign-on": sign_on_place(REQUEST_ID).hex(),
        "account of a sign-up with the digest of the request": account_of(frank).hex(),
        "slot": digest(SERIAL.encode())[0] % 64,
    }


def token_key() -> bytes:
    """Of the two owners' keys (section 2)."""
    both = made_up("vendor key", 32) + made_up("postal key", 32)
    return derive(both, SERIAL.encode(), ["fob/1 token key", KEY_VERSION])


def signature_key() -> Ed25519PrivateKey:
    """Of the same meter, if its tokens were signatures."""
    seed = derive(token_key(), SERIAL.encode(), ["fob/1 token signature", KEY_VERSION])
    return Ed25519PrivateKey.from_private_bytes(seed)


def an_indicium() -> Indicium:
    """Of the one piece of `a_request`."""
    address = addressee_digest(ADDRESS)
    return Indicium(
        SERIAL, 8, 0, 95, "eur-cent", 20261118, "10115", "20095", address, "letter", 12_345, KEY_VERSION
    )  # fmt: skip


def indicated() -> Indicated:
    """With its token."""
    return Indicated(an_indicium().octets(), make_token(token_key(), an_indicium()))


def a_request() -> FrankRequest:
    """For one piece; a presentation is another document's."""
    piece = Piece(95, "20095", addressee_digest(ADDRESS), None, "letter")
    shown_ticket = made_up("presentation", 40)
    return FrankRequest(
        REQUEST_ID, ACCOUNT, SERIAL, TIME, shown_ticket, made_up("integrity value", 32), (piece,)
    )  # fmt: skip


def a_sign_on() -> SignOnRequest:
    """Its password and presentation are not looked at."""
    device, sealing = signing("device"), X25519PrivateKey.from_private_bytes(made_up("device sealing", 32))
    keys = (device.public_key().public_bytes_raw(), sealing.public_key().public_bytes_raw())
    return SignOnRequest(REQUEST_ID, "erika", b"", b"", *keys, TIME)


def a_transaction() -> TransactionRecord:
    """By which `a_request` was done."""
    before, after = made_up("record before", 32), made_up("record after", 32)
    return TransactionRecord(
        REQUEST_ID, SERIAL, Deed.FRANK, 8, 95, 12_345, 7_655, 20_000, 130, (indicated(),),
        made_up("integrity value", 32), TIME + 1, before, after,
    )  # fmt: skip


def an_entry() -> Entry:
    """Of the transaction."""
    return Entry(Kind.TRANSACTION_RECORD, a_transaction().signed(a_box()))


def a_checkpoint() -> Checkpoint:
    """Of a log of this one entry."""
    log, _ = Frontier().append(an_entry().hash())
    origin = origin_of(signing("manufacturing box").public_key().public_bytes_raw())
    return Checkpoint(origin, 1, log.root, TIME + 2)


def a_box() -> Ed25519PrivateKey:
    """The transaction box's."""
    return signing("transaction box")


def signing(name: str) -> Ed25519PrivateKey:
    """Of somebody."""
    return Ed25519PrivateKey.from_private_bytes(made_up(name, 32))


def pair(key: Ed25519PrivateKey) -> dict[str, str]:
    """As it stands in the file."""
    return {"private": key.private_bytes_raw().hex(), "public": key.public_key().public_bytes_raw().hex()}


def to_be_signed(key: Ed25519PrivateKey, label: Label, payload: bytes, context: Context = ()) -> bytes:
    """Sig_structure (RFC 9052, section 4.4)."""
    return encode(["Signature1", _protected(key), encode([label.value, *context]), payload])


def sign1(key: Ed25519PrivateKey, label: Label, context: Context, payload: bytes) -> bytes:
    """The object."""
    signature = key.sign(to_be_signed(key, label, payload, context))
    return encode_tagged(Tag.SIGN1, [_protected(key), {}, payload, signature])


def sealed(receiver: X25519PrivateKey, ephemeral: str, label: Label, context: Context, content: bytes) -> Vector:
    """What is sealed, and how."""
    public = receiver.public_key().public_bytes_raw()
    protected = protected_header(Algorithm.HPKE_X25519_AES_256_GCM, Parameter.KID, key_id(public))
    info = encrypt0_structure(protected, label, context)
    once = made_up(ephemeral, 32)
    octets = encode_tagged(Tag.ENCRYPT0, [protected, {}, second_hpke.seal(public, once, info, content)])
    return {
        "receiver": {"private": receiver.private_bytes_raw().hex(), "public": public.hex()},
        "ephemeral private": once.hex(),
        "info": info.hex(),
        "plaintext": content.hex(),
        "sealed": octets.hex(),
        "digest": digest(octets).hex(),
    }


def _protected(key: Ed25519PrivateKey) -> bytes:
    return protected_header(Algorithm.ED25519, Parameter.KID, key_id(key.public_key().public_bytes_raw()))


def fields(message: Message) -> Value:
    """The elements of a message, octets as octets."""
    built: Value = msgspec.to_builtins(message, builtin_types=(bytes,))
    return built


def shown(value: Value) -> Any:
    """For JSON: octets in hexadecimal, marked as such."""
    if isinstance(value, bytes):
        return f"h'{value.hex()}'"
    return [shown(one) for one in value] if isinstance(value, list | tuple) else value


def as_text() -> str:
    """What stands in the file."""
    return json.dumps(vectors(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(as_text(), encoding="utf-8")
