"""M30: a data centre that was put back to a time before a sign-up is signed up to again, by the same words."""

from pathlib import Path

import pytest

from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from support.meter_bench import WISH, MeterBench, on_meter_bench

pytestmark = pytest.mark.clause("M30", "M33")


def test_a_sign_up_that_the_data_centre_lost_is_done_again(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        first = bench.office.mailer.account
        await bench.join(WISH)
        assert (bench.typed, bench.office.mailer.account) == (1, first), "said again, it is the same one"
        bench.office.account = None
        bench.office.journal.clear()
        with pytest.raises(RefusedError) as refused:
            await bench.load(2_000, b"a load in vain .")
        assert refused.value.refusal is Refusal.NO_ACCOUNT
        await bench.join(WISH)
        assert bench.typed == 2
        assert bench.office.mailer.account != first
        await bench.load(2_000, b"another load ...")
        assert bench.mailer.registers.loads == 2_000

    on_meter_bench(tmp_path, story)
