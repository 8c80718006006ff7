"""One no for one operation, however the client calls it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cryptoki.desk import ROOM, Client, Desk
from fob_daemon.cryptoki.limits import REFUSAL_TIME
from fob_daemon.cryptoki.refusals import Refusals
from fob_device.approval.rules import Rule, Rules
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism

ECDSA = Mechanism(Ckm.ECDSA)
DIGEST, OTHER = bytes(32), b"\1" * 32


@pytest.fixture
async def refusing(tmp_path: Path) -> AsyncIterator[Desk]:
    async with Desk.opened(tmp_path, Rules((Rule(answer="deny"),))) as desk:
        yield desk


async def is_refused(client: Client, session: int, data: bytes, *, in_parts: bool) -> bool:
    application = client.application
    application.sign_init(session, ECDSA, client.key(session, "ec"))
    if in_parts:
        await application.sign_update(session, data)
    with pytest.raises(CkrError) as caught:
        await (application.sign_final(session, ROOM) if in_parts else application.sign(session, data, ROOM))
    return caught.value.ckr is Ckr.FUNCTION_REJECTED


async def test_what_was_refused_is_not_asked_again_in_parts(refusing: Desk) -> None:
    client = refusing.client()
    session = await client.user_session()
    with refusing.crossing(C_SIGN=1):
        assert await is_refused(client, session, DIGEST, in_parts=False)
        assert await is_refused(client, session, DIGEST, in_parts=True)
    with refusing.crossing(C_SIGN=1):
        assert await is_refused(client, session, OTHER, in_parts=True)
    with refusing.crossing(C_SIGN=1):
        assert await is_refused(client, client.session(), OTHER, in_parts=True)


@pytest.mark.parametrize("ckr", [Ckr.FUNCTION_REJECTED, Ckr.FUNCTION_CANCELED], ids=["a no", "silence"])
async def test_a_refusal_is_over_after_its_time(ckr: Ckr) -> None:
    now, asked = [0.0], [0]

    async def refuse() -> None:
        asked[0] += 1
        raise CkrError(ckr)

    refusals = Refusals(lambda: now[0])
    for seconds, questions in ((0.0, 1), (REFUSAL_TIME - 0.1, 1), (REFUSAL_TIME, 2)):
        now[0] = seconds
        with pytest.raises(CkrError) as caught:
            await refusals.ask(1, ECDSA, DIGEST, refuse)
        assert (caught.value.ckr, asked[0]) == (ckr, questions)


async def test_what_else_goes_wrong_is_no_answer() -> None:
    asked = [0]

    async def fail() -> None:
        asked[0] += 1
        raise CkrError(Ckr.DEVICE_REMOVED)

    refusals = Refusals()
    for _ in range(2):
        with pytest.raises(CkrError):
            await refusals.ask(1, ECDSA, DIGEST, fail)
    assert asked == [2]
