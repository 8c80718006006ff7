"""What a PC asks the component that writes addresses out, and what it takes for an answer (M36)."""

import pytest

from daemon_metering.bench import Bench, letters
from fob_daemon.metering.views import Piece
from fob_protocol.at.values import Values
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.fake_device_office import saying


@pytest.mark.clause("M36")
async def test_many_addresses_are_a_round_trip_for_each_64_or_16_000_octets(bench: Bench) -> None:
    asked: list[int] = []

    def write(values: Values) -> tuple[Values, ...]:
        asked.append(len(values))
        return (tuple(str(value).upper() for value in values),)

    bench.link.handlers["+XADDRESS"] = write
    assert len(await bench.desk.cleansed(letters(130))) == 130
    assert asked == [64, 64, 2]
    asked.clear()
    long = [Piece("20095", "x" * 500, "letter", grams=20, zone="domestic")] * 40
    assert {piece.address for piece in await bench.desk.cleansed(long)} == {"X" * 500}
    assert asked == [32, 8]


@pytest.mark.clause("M36")
@pytest.mark.parametrize("answer", [((),), (("one", "two"),), (("one",), ("two",)), ((7,),), (("one\x07",),), ()])
async def test_an_answer_that_is_not_as_many_addresses(bench: Bench, answer: tuple[Values, ...]) -> None:
    bench.link.handlers["+XADDRESS"] = saying(*answer)
    with pytest.raises(CkrError) as error:
        await bench.desk.cleansed(letters(1))
    assert error.value.ckr is Ckr.DEVICE_ERROR
