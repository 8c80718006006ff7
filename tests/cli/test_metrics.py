"""`fob metrics`."""

from cli.fob_program import FobProgram

TEXT = 'fob_link_up{device="pixel"} 1.0\n'


async def test_what_the_daemon_counted(fob: FobProgram) -> None:
    ended = await fob("metrics")

    assert (ended.code, ended.out, ended.err) == (0, TEXT, "")


async def test_for_a_script(fob: FobProgram) -> None:
    ended = await fob("metrics", "--json")

    assert (ended.code, ended.json, ended.err) == (0, {"text": TEXT}, "")
