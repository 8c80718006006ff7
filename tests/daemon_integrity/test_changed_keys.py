"""When the office changes its servers' keys, fobd hears of it by itself, in the use that meets the new ones."""

import pytest

from daemon_integrity.computer import BAD_REQUEST, Computer, refusal_of
from fob_protocol.cose import hpke
from fob_protocol.cose.headers import key_id
from support.office_holders import policy


def change_keys(computer: Computer, server: str) -> None:
    """As an operator does when they were stolen."""
    computer.scene.issuing().change_keys(server)
    computer.scene.issuing().revoke(server, everything=False)


def asked_by(computer: Computer, begun: int) -> list[str]:
    return computer.line.asked[begun:]


@pytest.mark.clause("V16", "R27")
async def test_the_use_that_meets_revoked_keys_asks_for_the_servers_and_goes_on(computer: Computer) -> None:
    policy(computer.scene, "fobd", interval=0, grace=0)
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        change_keys(computer, "integrity")
        begun = len(computer.line.asked)
        assert await refusal_of(own) == ""
        assert asked_by(computer, begun) == ["validation", "directory", "validation", "validation"]
        begun = len(computer.line.asked)
        assert (await refusal_of(own), asked_by(computer, begun)) == ("", ["validation"])


@pytest.mark.clause("R27")
async def test_the_directory_is_asked_for_by_the_newest_keys_of_its_server(computer: Computer) -> None:
    policy(computer.scene, "fobd", interval=0, grace=0)
    await computer.enrol()
    async with computer.switched_on() as own:
        change_keys(computer, "configuration")
        for server in ("integrity", "integrity"):
            change_keys(computer, server)
            assert await refusal_of(own) == ""
        # Questions and answers by turns.
        directories = [n for n, service in enumerate(computer.line.asked) if service == "directory"]
        newest = key_id(computer.scene.certificate("configuration").sealing_key)
        assert hpke.receiver_of(computer.line.seen[2 * directories[-1]]) == newest


async def test_an_office_that_opens_nothing_is_asked_for_its_servers_once_for_each_use(computer: Computer) -> None:
    policy(computer.scene, "fobd", interval=0, grace=0)
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        computer.line.answer = BAD_REQUEST
        assert "it answered 400 Bad Request (not-answered)" in await refusal_of(own)
        assert not own.report().enabled
        computer.line.answer = None
        begun = len(computer.line.asked)
        assert await refusal_of(own) == ""
        assert asked_by(computer, begun) == ["directory", "validation", "validation"]
