"""Releases: checked as a device would, signed and sealed once, and signed anew when keys change (C8, C25, R27)."""

from pathlib import Path

import pytest

from fob_office.components.service import resign_server, withdraw
from fob_office.components.shipping import add_shipped
from fob_office.errors import NotFoundError, OperatorError
from fob_office.orders.service import change_order
from fob_office.shipped import shipped
from fob_protocol.office.certificate import read_certificate
from fob_protocol.office.component import Kind
from fob_protocol.office.configuration import Current, Granted
from fob_protocol.office.limits import CONTENT_LIMIT
from fob_protocol.office.release import read_release
from support.office import OfficeScene
from support.office_device import HARDWARE
from support.office_shop import OPERATOR, ordered_device, release


@pytest.mark.clause("C8", "C25")
def test_a_release_is_signed_by_the_release_server(scene: OfficeScene) -> None:
    row = release(scene, "rates", octets=b"95 cents")
    found = read_release(scene.certificate("release"), row.signed)
    assert (found.id, found.version, found.size) == ("rates", (1, 0, 0), 8)


@pytest.mark.clause("C8")
def test_nothing_is_released_that_no_device_would_take(sqlite_scene: OfficeScene) -> None:
    scene = sqlite_scene
    with pytest.raises(OperatorError, match="data has no commands"):
        release(scene, "rates", commands=("XRATE",), kind=Kind.DATA)
    with pytest.raises(OperatorError, match="no device would read it"):
        release(scene, "rates", commands=("RATE",))
    with pytest.raises(OperatorError, match="no device would read it"):
        release(scene, "Rates")
    with pytest.raises(OperatorError, match="no device would read it"):
        release(scene, "rates", hardware=())
    with pytest.raises(OperatorError, match="octets are more than"):
        release(scene, "rates", octets=bytes(CONTENT_LIMIT + 1))
    with pytest.raises(OperatorError, match="a command is named twice"):
        release(scene, "rates", commands=("XRATE", "XRATE"))


def test_a_version_is_released_once(scene: OfficeScene) -> None:
    release(scene, "rates")
    with pytest.raises(OperatorError, match=r"there is rates 1\.0\.0 already"):
        release(scene, "rates", octets=b"other")
    release(scene, "rates", (1, 0, 1))


@pytest.mark.clause("C16")
def test_a_command_is_of_one_component(scene: OfficeScene) -> None:
    release(scene, "rates", commands=("XRATE",))
    release(scene, "rates", (2, 0, 0), commands=("XRATE", "XBEST"))
    with pytest.raises(OperatorError, match=r"\+XBEST is a command of rates"):
        release(scene, "zones", commands=("XZONE", "XBEST"))
    release(scene, "zones", commands=("XZONE",))


@pytest.mark.clause("C16")
def test_what_a_release_needs_is_there_and_does_not_need_it(scene: OfficeScene) -> None:
    with pytest.raises(OperatorError, match=r"there is no table from 1\.0\.0 on"):
        release(scene, "rates", needs={"table": (1, 0, 0)})
    release(scene, "table")
    with pytest.raises(OperatorError, match=r"there is no table from 1\.0\.1 on"):
        release(scene, "rates", needs={"table": (1, 0, 1)})
    release(scene, "rates", needs={"table": (1, 0, 0)})
    release(scene, "view", needs={"rates": (1, 0, 0)})
    with pytest.raises(OperatorError, match="view needs table itself"):
        release(scene, "table", (2, 0, 0), needs={"view": (1, 0, 0)})


def test_an_older_release_is_chosen_while_the_newest_lacks_what_it_needs(scene: OfficeScene) -> None:
    release(scene, "table")
    release(scene, "rates", needs={"table": (1, 0, 0)})
    release(scene, "table", (2, 0, 0))
    release(scene, "rates", (2, 0, 0), needs={"table": (2, 0, 0)})
    withdraw(scene.office, "table", (2, 0, 0), OPERATOR)
    device = ordered_device(scene, "rates")
    device.configure()
    assert [(one.id, one.version) for one in device.catalogue] == [("rates", (1, 0, 0)), ("table", (1, 0, 0))]


def test_what_is_withdrawn_is_so_for_good(scene: OfficeScene) -> None:
    release(scene, "rates")
    withdraw(scene.office, "rates", (1, 0, 0), OPERATOR)
    with pytest.raises(OperatorError, match="it is so already"):
        withdraw(scene.office, "rates", (1, 0, 0), OPERATOR)
    with pytest.raises(NotFoundError):
        withdraw(scene.office, "rates", (1, 0, 1), OPERATOR)


@pytest.mark.clause("R27", "C25")
def test_what_older_keys_signed_is_given_beside_what_the_new_ones_sign(scene: OfficeScene) -> None:
    """Until the old ones are revoked nothing has to be signed anew."""
    release(scene, "rates")
    device = ordered_device(scene, "rates")
    scene.issuing().change_keys("release")
    release(scene, "slogan")
    change_order(scene.office, device.serial, ["rates", "slogan"], OPERATOR)
    granted, challenge = device.ask()
    assert isinstance(granted, Granted)
    assert {read_certificate(scene.issuer, signed).epoch for signed in granted.release_certificates} == {1, 2}
    assert len(device.check(granted, challenge).items) == 2


@pytest.mark.clause("R27")
@pytest.mark.parametrize(
    ("everything", "elsewhere", "command"),
    [
        (False, False, "fob-office component resign --signer release"),
        (False, True, "fob-office component build, and import"),
        (True, False, "fob-office server change-keys release"),
    ],
)
def test_keys_are_not_revoked_while_releases_hang_on_them(
    sqlite_scene: OfficeScene, tmp_path: Path, everything: bool, elsewhere: bool, command: str
) -> None:
    release(sqlite_scene, "rates")
    issuing = sqlite_scene.issuing()
    issuing.change_keys("release", keys_file=tmp_path / "release.pem" if elsewhere else None)
    with pytest.raises(OperatorError, match="that these keys signed, 1 in number") as refused:
        issuing.revoke("release", everything=everything)
    assert refused.value.command.startswith(command)
    assert issuing.revoke("release", everything=everything, anyway=True).number == 2


@pytest.mark.clause("R27")
def test_keys_that_signed_nothing_any_more_are_revoked(sqlite_scene: OfficeScene) -> None:
    release(sqlite_scene, "rates")
    issuing = sqlite_scene.issuing()
    issuing.change_keys("release")
    resign_server(sqlite_scene.office, "release", OPERATOR)
    assert issuing.revoke("release", everything=False).epochs == {"release": 2}


@pytest.mark.clause("R27")
def test_what_revoked_keys_signed_is_given_to_nobody_until_it_is_signed_anew(scene: OfficeScene) -> None:
    release(scene, "rates")
    device = ordered_device(scene, "rates")
    scene.issuing().change_keys("release")
    scene.issuing().revoke("release", everything=False, anyway=True)
    assert isinstance(device.configure(), Current)
    assert resign_server(scene.office, "release", OPERATOR) == 1
    assert resign_server(scene.office, "release", OPERATOR) == 0
    device.configure()
    assert list(device.contents) == ["rates"]


@pytest.mark.clause("C7")
def test_the_components_that_come_with_fob_reach_a_device(scene: OfficeScene) -> None:
    added = add_shipped(scene.office, [HARDWARE], OPERATOR)
    assert sorted(added) == sorted(shipped())
    assert add_shipped(scene.office, [HARDWARE], OPERATOR) == []
    device = ordered_device(scene, *shipped())
    device.configure()
    assert device.contents == {name: component.content() for name, component in shipped().items()}
