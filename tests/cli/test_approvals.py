"""`fob approvals`: what is allowed without asking, for people and scripts, and how it is taken back."""

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from fob_daemon.device.grants import Grant

LOGIN = Grant(1, 272, "log in to github.com with 'work' for ssh <- zsh on me@pc")
COMMIT = Grant(2, 28_800, "sign a git commit with 'work' for ssh-keygen <- git <- zsh on me@pc")


@pytest.fixture
def tablet(daemon: FakeDaemon, phone: FakePhone) -> FakePhone:
    """A second phone beside 'pixel'."""
    tablet = FakePhone("Ada's tablet", "FOB-0002")
    daemon.add_phone("tablet", tablet)
    return tablet


async def test_the_list_for_a_person(fob: FobProgram, phone: FakePhone) -> None:
    phone.grants = [LOGIN, COMMIT]
    assert (await fob("approvals", "list")).out.splitlines() == [
        "NUMBER  TIME LEFT   DEVICE  WHAT FOR",
        "1       4 min 32 s  pixel   log in to github.com with 'work' for ssh <- zsh on me@pc",
        "2       8 h 0 min   pixel   sign a git commit with 'work' for ssh-keygen <- git <- zsh on me@pc",
    ]


async def test_the_list_for_a_script(fob: FobProgram, phone: FakePhone, tablet: FakePhone) -> None:
    tablet.grants = [LOGIN]
    entry = {"device": "tablet", "number": 1, "seconds": 272, "words": LOGIN.words}
    assert (await fob("approvals", "list", "--json")).json == {"grants": [entry], "unasked": []}
    assert (await fob("approvals", "list", "--json", "--device", "pixel")).json == {"grants": [], "unasked": []}


async def test_nothing_is_allowed(fob: FobProgram, phone: FakePhone) -> None:
    ended = await fob("approvals", "list")
    assert (ended.code, ended.out, ended.err) == (0, "", "Nothing is allowed without asking.\n")


async def test_words_of_a_phone_do_not_steer_the_terminal(fob: FobProgram, phone: FakePhone) -> None:
    phone.grants = [Grant(1, 5, "log in\x1b[2J to \u202eevil")]
    assert (await fob("approvals", "list")).out.endswith("log in\ufffd[2J to \ufffdevil\n")


async def test_a_device_that_is_away_does_not_hide_what_the_others_allow(
    fob: FobProgram, phone: FakePhone, tablet: FakePhone
) -> None:
    phone.is_away = True
    tablet.grants = [LOGIN]

    ended = await fob("approvals", "list")
    assert (ended.code, ended.out.count("tablet"), ended.out.count("pixel")) == (0, 1, 0)
    assert ended.err.startswith("'pixel' was not asked: the device is away")
    assert (await fob("approvals", "list", "--json")).json["unasked"][0]["device"] == "pixel"

    assert (await fob("approvals", "list", "--device", "pixel")).code == 4
    assert (await fob("approvals", "list", "--device", "tablet")).code == 0


async def test_a_device_that_is_away_where_the_others_allow_nothing(
    fob: FobProgram, phone: FakePhone, tablet: FakePhone
) -> None:
    phone.is_away = True
    ended = await fob("approvals", "list")
    said = ended.err.splitlines()
    assert (ended.code, ended.out, said[1:]) == (0, "", ["The others allow nothing without asking."])
    assert said[0].startswith("'pixel' was not asked: the device is away")
    answer = (await fob("approvals", "list", "--json")).json
    assert (answer["grants"], [away["device"] for away in answer["unasked"]]) == ([], ["pixel"])
    ended = await fob("approvals", "revoke", "--all")
    assert (ended.code, ended.error[0]) == (4, "nothing was revoked")
    tablet.is_away = True
    ended = await fob("approvals", "list")
    assert (ended.code, ended.error[0]) == (4, "nothing was listed")


async def test_one_is_taken_back_by_its_number(fob: FobProgram, phone: FakePhone) -> None:
    phone.grants = [LOGIN, COMMIT]

    ended = await fob("approvals", "revoke", "1")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "'pixel' asks again for what number 1 allowed.\n"
    assert phone.grants == [COMMIT]
    assert (await fob("approvals", "revoke", "2", "--json")).json == {"revoked": [{"device": "pixel", "number": 2}]}


async def test_one_that_is_not_there_any_more_is_nothing_to_do(fob: FobProgram, phone: FakePhone) -> None:
    ended = await fob("approvals", "revoke", "7")
    why = "'pixel' has no grant 7, or has none any more"
    assert (ended.code, ended.error) == (7, ["nothing was revoked", why, "fob approvals list"])


async def test_all_are_taken_back_at_once(fob: FobProgram, phone: FakePhone, tablet: FakePhone) -> None:
    phone.grants, tablet.grants = [LOGIN, COMMIT], [LOGIN]

    assert (await fob("approvals", "revoke", "--all", "--device", "tablet", "--json")).json == {
        "revoked": [{"device": "tablet", "number": 1}]
    }
    assert (len(phone.grants), len(tablet.grants)) == (2, 0)
    tablet.grants = [COMMIT]
    assert (await fob("--json", "approvals", "revoke", "--all")).json == {
        "revoked": [
            {"device": "pixel", "number": 1},
            {"device": "pixel", "number": 2},
            {"device": "tablet", "number": 2},
        ]
    }
    assert (phone.grants, tablet.grants) == ([], [])

    ended = await fob("approvals", "revoke", "--all")
    why = "nothing is allowed without asking"
    assert (ended.code, ended.error) == (7, ["nothing was revoked", why, "fob approvals list"])


@pytest.mark.parametrize("arguments", [(), ("1", "--all"), ("0",), ("one",)])
async def test_which_one_has_to_be_said(fob: FobProgram, phone: FakePhone, arguments: tuple[str, ...]) -> None:
    phone.grants = [LOGIN]
    assert (await fob("approvals", "revoke", *arguments)).code == 2
    assert phone.grants == [LOGIN]


async def test_a_number_does_not_say_which_device(fob: FobProgram, phone: FakePhone, tablet: FakePhone) -> None:
    phone.grants = [LOGIN]
    ended = await fob("approvals", "revoke", "1")
    assert (ended.code, ended.error[0]) == (2, "which device?")
    assert phone.grants == [LOGIN]


async def test_without_a_daemon(lonely_fob: FobProgram) -> None:
    assert (await lonely_fob("approvals", "list")).code == 3
    assert (await lonely_fob("approvals", "revoke", "--all")).code == 3
