"""A question that cannot be answered is refused with its own reason, before anything is done (M2, X8)."""

from typing import Any

import pytest

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.function import Answer
from fob_office.centre.words import Word
from fob_protocol.cose import hpke
from fob_protocol.cose.cbor import encode
from fob_protocol.cose.labels import Label
from fob_protocol.metering.requests import Terms
from fob_protocol.office.envelope import Service, ask
from support.data_centre import DataCentre
from support.mailers import COMMUNICATION

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

NO_KEY = "no key of this data centre opens it"


def _sealed(centre: DataCentre, octets: bytes, service: Service = Service.METERING) -> bytes:
    return hpke.seal_to(centre.certificate.sealing_key, Label.QUESTION, [service], octets)


@pytest.mark.clause("M2", "X8")
async def test_what_opens_and_is_no_question_is_told_from_what_does_not_open(centre: DataCentre) -> None:
    random = centre.boxes.surroundings.random
    nonce, reply_key, body = random(16), random(32), Terms().octets()
    other = ask(centre.certificate, Service.DIRECTORY, body, random)
    broken: dict[str, tuple[bytes, str]] = {
        "another service": (other.sealed, NO_KEY),
        "not sealed at all": (b"noise", "not tagged 16"),
        "version 2": (_question(centre, 2, nonce, reply_key, body), "malformed: Invalid value 2 - at `$[0]`"),
        "a short nonce": (
            _question(centre, 1, nonce[:15], reply_key, body),
            "malformed: Expected `bytes` of length >= 16 - at `$[1]`",
        ),
        "a nested body": (
            _question(centre, 1, nonce, reply_key, [16]),
            "malformed: Expected `bytes`, got `array` - at `$[3]`",
        ),
        "no CBOR": (_sealed(centre, b"\xff"), "malformed: a length that is not definite"),
        "no key to answer to": (_question(centre, 1, nonce, bytes(32), body), "the reply key is none"),
    }
    async with centre.function_server() as (server, peers):
        for what, (sealed, why) in broken.items():
            with pytest.raises(BusRefusedError) as refused:
                await server.answer(COMMUNICATION, Answer(sealed))
            assert refused.value.word == Word.MALFORMED
            assert refused.value.why == why, what
        assert peers.asked == []


def _question(centre: DataCentre, *elements: Any) -> bytes:
    return _sealed(centre, encode(list(elements)))
