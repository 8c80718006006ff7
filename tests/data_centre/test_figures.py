"""What the supervisor gathers for the office, of a database that holds whatever staff wrote into it (M22)."""

import pytest

from fob_office.centre.supervising.figures import Figures, Gathering
from fob_protocol.cose import sign1
from fob_protocol.cose.labels import Label
from support.data_centre import VALIDATION, DataCentre
from support.mailers import Mailer

SET_CHECKPOINTS = "UPDATE checkpoints SET signed = ?"
NO_CHECKPOINT = sign1.sign(VALIDATION, Label.TRANSACTION_RECORD, (), b"\x80")


async def gathered(centre: DataCentre, told: list[tuple[str, str]], *cells: object) -> list[Figures]:
    """First with the checkpoint that a box signed, and then with each of these in its place."""
    links = centre.boxes.open("operator-1").links
    try:
        gathering = Gathering(links, lambda why, command: told.append((why, command)))
        found = [await gathering.gather(0)]
        for cell in cells:
            centre.rows(SET_CHECKPOINTS, cell)
            found.append(await gathering.gather(0))
        return found
    finally:
        links.close()


@pytest.mark.clause("M22")
@pytest.mark.parametrize(
    "junk", [b"", b"junk", bytes(90), NO_CHECKPOINT], ids=["nothing", "octets", "noughts", "another thing"]
)
async def test_what_is_no_checkpoint_changes_no_figure_and_is_said_once(centre: DataCentre, junk: bytes) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        signed = await centre.checkpoint()
        told: list[tuple[str, str]] = []
        before, *after = await gathered(centre, told, junk, junk, signed)
        assert before.log_size is not None
        assert after == [before] * 3
        ((why, command),) = told
        assert why.startswith("the newest checkpoint of the log cannot be read")
        assert command == "audit"


@pytest.mark.clause("M22")
async def test_a_checkpoint_that_is_spoiled_again_is_said_again(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        await Mailer(centre, server).sign_up()
        signed = await centre.checkpoint()
        told: list[tuple[str, str]] = []
        await gathered(centre, told, b"junk", signed, b"junk")
        assert len(told) == 2
