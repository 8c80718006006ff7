"""The order of trust (X4): with any one of its links taken away nothing is franked, and the link is named.

Issuer's key, server's certificate, shared key, order, components, measurement, VAL_OK, franking; the data centre's
processes are all real.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fob_protocol.integrity.admission import NotEnabledError
from fob_protocol.integrity.validation import State
from fob_protocol.metering.faults import MeterError
from fob_protocol.office.certificate import Usage
from fob_protocol.office.configuration import Purpose
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.pkcs11.errors import CkrError
from support.centre_bench import benched
from support.data_centre import DataCentre
from support.meter_bench import OTHER, WISH, MeterBench
from support.office_signers import Server

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

TakeAway = Callable[[MeterBench], Awaitable[None]]
RATES = "postage-rates"
A_WHILE = 3600


async def frank(bench: MeterBench) -> str:
    """How it ends: `franked`, or the name of what is broken."""
    try:
        await bench.frank(order=OTHER)
    except OfficeError as error:
        return error.fault
    except RefusedError as error:
        return error.refusal
    except MeterError as error:
        return error.fault
    except NotEnabledError as error:
        return f"{error.program}: {error.word}"
    except CkrError as error:
        return str(error)
    return "franked"


def indicia(centre: DataCentre) -> int:
    """That were ever made there."""
    ((found,),) = centre.rows("SELECT count(*) FROM transactions")
    return int(found)


async def nothing(bench: MeterBench) -> None:
    """All of it is there."""


async def the_issuer_s_key(bench: MeterBench) -> None:
    office = bench.office
    meters = office.meters
    signed = meters.certificate.signed(office.signers.signing_key())
    office.meters = Server(meters.signing_key, meters.sealing_key, meters.certificate, signed)


async def the_server_s_certificate(bench: MeterBench) -> None:
    bench.office.revoked, bench.office.list_number = {"metering": 2}, 2


async def the_key_that_mailer_and_centre_share(bench: MeterBench) -> None:
    """The mailer has signed on at another device since."""
    store = bench.meter.joiner.store
    before = bench.meter.believing.meter()
    await bench.join(None)
    store.keep_meter(before)


async def the_order(bench: MeterBench) -> None:
    bench.office.order = []
    await bench.back_office.configure(Purpose.AGAIN)
    await bench.until(lambda: not bench.installed)


async def the_table_that_the_rates_need(bench: MeterBench) -> None:
    (table,) = (one for one in bench.office.order or () if one.id == "postage-table")
    (bench.folder / "components" / f"content-{table.digest.hex()}").unlink()
    await bench.power_cut()
    await bench.until(lambda: bench.back_office.started.is_set())


async def what_was_measured(bench: MeterBench) -> None:
    bench.damage(RATES)
    await bench.power_cut()
    await bench.until(lambda: bench.back_office.started.is_set())


async def the_office_s_yes(bench: MeterBench) -> None:
    bench.integrity.copy(RATES).state = State.DISABLED


async def who_gave_val_ok(bench: MeterBench) -> None:
    """Another validation server, of which the data centre was never told."""
    office = bench.office
    assert office.integrity is not None
    office.integrity.validation = office.signers.server("validation", Usage.VALIDATION)


LINKS: dict[str, tuple[TakeAway, str]] = {
    "all are there": (nothing, "franked"),
    "issuer": (the_issuer_s_key, "wrong-issuer"),
    "certificate": (the_server_s_certificate, "revoked"),
    "shared key": (the_key_that_mailer_and_centre_share, "not-authenticated"),
    "order": (the_order, "CKR_ARGUMENTS_BAD: no component has XRATE"),
    "components": (the_table_that_the_rates_need, "postage-table: invalid"),
    "measured": (what_was_measured, f"{RATES}: invalid"),
    "validated": (the_office_s_yes, f"{RATES}: disabled"),
    "VAL_OK": (who_gave_val_ok, "not-validated"),
}


@pytest.mark.clause("X4")
@pytest.mark.parametrize(("take_away", "name"), LINKS.values(), ids=LINKS)
async def test_without_any_link_of_the_chain_nothing_is_franked(tmp_path: Path, take_away: TakeAway, name: str) -> None:
    async with benched(tmp_path) as (bench, centre):
        await bench.join(WISH)
        await bench.load(5000)
        bench.meter.taken(b"money on a meter")
        before = indicia(centre)
        # What was asked before is asked anew.
        bench.office.now += A_WHILE
        centre.boxes.now += A_WHILE
        await take_away(bench)
        assert await frank(bench) == name
        assert indicia(centre) - before == (name == "franked")
