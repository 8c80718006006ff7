"""Keys of servers come and go by epochs: a device that knows the newest list takes nothing of an old one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select

from fob_office.answering import UnreadableError
from fob_office.devices.service import add_device, device_of
from fob_office.errors import NotFoundError, OperatorError, UsageError
from fob_office.issuer.service import OF_CENTRE, SERVERS_LIMIT
from fob_office.servers.key_pair import KeyPair
from fob_office.servers.service import identity
from fob_office.servers.tables import ServerKeys
from fob_office.servers.views import server_view, server_views
from fob_protocol.cose.headers import key_id
from fob_protocol.office.certificate import Certificate, RevocationList, Usage, read_revocation_list
from fob_protocol.office.conversation import Speaker
from fob_protocol.office.directory import ListServers, Servers, ask_directory
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.known import Known
from fob_protocol.office.limits import ANSWER_LIMIT
from fob_protocol.office.message import read
from fob_protocol.office.trust import Trust
from support.office import NOW, OfficeScene
from support.office_shop import OPERATOR, generic_device

CONFIGURATION = "configuration"
DIRECTORY = Service.DIRECTORY


def directory(scene: OfficeScene) -> Servers:
    return read(Servers, scene.ask(DIRECTORY, CONFIGURATION, ListServers()).body)


def learned(scene: OfficeScene) -> Trust:
    return Trust(scene.issuer, NOW).with_list(directory(scene).revocations)


def newest_list(scene: OfficeScene) -> RevocationList:
    return read_revocation_list(scene.issuer, directory(scene).revocations)


@pytest.mark.clause("R27")
def test_old_keys_work_until_they_are_revoked_and_then_are_worth_nothing(scene: OfficeScene) -> None:
    old, old_signed = scene.certificate(CONFIGURATION), scene.signed_certificate(CONFIGURATION)
    scene.issuing().change_keys(CONFIGURATION)
    new = scene.certificate(CONFIGURATION)
    assert (new.epoch, new.usages, new.title) == (2, old.usages, old.title)
    assert len({new.signing_key, old.signing_key, new.sealing_key, old.sealing_key}) == 4

    # A device that has not heard of it is answered, under the keys that it knows.
    asked = scene.question(DIRECTORY, old, ListServers())
    assert len(read(Servers, asked.open(scene.answering.answer(DIRECTORY, asked.sealed)).body).certificates) == 4

    scene.issuing().revoke(CONFIGURATION, everything=False)
    for service in set(scene.answering.services) - {DIRECTORY}:
        with pytest.raises(UnreadableError):
            scene.ask(service, old, ListServers())
    trust = learned(scene)
    with pytest.raises(OfficeError) as caught:
        trust.check(old_signed, CONFIGURATION, Usage.CONFIGURATION)
    assert caught.value.fault is Fault.REVOKED
    assert trust.check(scene.signed_certificate(CONFIGURATION), CONFIGURATION, Usage.CONFIGURATION) == new


def ask_by(scene: OfficeScene, certificate: Certificate, known: Known) -> Servers:
    """As a device does that knows a certificate of the configuration server, from the factory or from since."""
    conversation = ask_directory(
        Speaker(certificate, scene.random.randbytes), partial(known.successor, CONFIGURATION, NOW)
    )
    asked = next(conversation)
    with pytest.raises(StopIteration) as ended:
        conversation.send(asked.open(scene.answering.answer(DIRECTORY, asked.sealed)))
    servers: Servers = ended.value.value
    return servers


@pytest.mark.clause("R27")
@pytest.mark.parametrize("everything", [True, False])
def test_a_device_that_knows_revoked_keys_alone_hears_of_the_new_ones(scene: OfficeScene, everything: bool) -> None:
    """From the new ones, which the answer brings with it; though two were revoked meanwhile."""
    old, known, issuing = scene.certificate(CONFIGURATION), Known(Trust(scene.issuer)), scene.issuing()
    for _ in range(2):
        issuing.revoke(CONFIGURATION, everything=True) if everything else None
        issuing.change_keys(CONFIGURATION)
        issuing.revoke(CONFIGURATION, everything=False) if not everything else None
    known = known.with_directory(ask_by(scene, old, known), NOW)
    assert known.server(CONFIGURATION, Usage.CONFIGURATION, NOW) == scene.certificate(CONFIGURATION)
    assert ask_by(scene, old, known) == directory(scene)


@pytest.mark.clause("R27")
def test_a_server_that_is_revoked_altogether_answers_nobody(scene: OfficeScene) -> None:
    old = scene.certificate(CONFIGURATION)
    scene.issuing().revoke(CONFIGURATION, everything=True)
    with pytest.raises(UnreadableError):
        scene.ask(DIRECTORY, old, ListServers())


@pytest.mark.clause("R27")
@pytest.mark.parametrize(
    ("usages", "is_kept"),
    [
        ((Usage.RELEASE,), False),
        ((Usage.CONFIGURATION,), True),
        # What people registered by, and was recorded on its way, is not to be opened ever again.
        ((Usage.CONFIGURATION, Usage.REGISTRATION), False),
        ((Usage.CONFIGURATION, Usage.DISTRIBUTION), False),
    ],
)
def test_revoked_private_keys_are_erased(scene: OfficeScene, usages: tuple[Usage, ...], is_kept: bool) -> None:
    """All but what opens questions for the directory of who has not heard of newer ones, and opens nothing else."""
    issuing = scene.issuing()
    issuing.add_server("another", "Another", usages)
    old = scene.certificate("another")
    issuing.change_keys("another")
    issuing.revoke("another", everything=False)
    with scene.office.database.read() as session:
        rows = session.scalars(select(ServerKeys).where(ServerKeys.server == "another").order_by(ServerKeys.epoch))
        assert [(row.epoch, row.signing_key is None, row.sealing_key is None) for row in rows] == [
            (1, True, not is_kept),
            (2, False, False),
        ]
    if not is_kept:
        with pytest.raises(UnreadableError):
            scene.ask(DIRECTORY, old, ListServers())


@pytest.mark.clause("R27")
def test_a_server_that_is_revoked_altogether_is_listed_no_more_and_can_come_back(scene: OfficeScene) -> None:
    issuing = scene.issuing()
    issuing.revoke("registration", everything=True)
    assert newest_list(scene).epochs == {"registration": 2}
    assert len(directory(scene).certificates) == 3
    with scene.office.database.read() as session, pytest.raises(OperatorError, match="private keys"):
        identity(session, scene.office.sealer, "registration")
    issuing.change_keys("registration")
    assert learned(scene).check(scene.signed_certificate("registration"), "registration", Usage.REGISTRATION).epoch == 2


@pytest.mark.clause("R27")
def test_numbers_of_lists_only_go_up_and_nothing_is_forgiven(scene: OfficeScene) -> None:
    issuing, trust = scene.issuing(), learned(scene)
    steps: list[Callable[[], RevocationList]] = [
        partial(issuing.revoke, "release", everything=True),
        partial(issuing.renew_list, days=5),
        partial(issuing.revoke, "registration", everything=True),
        issuing.renew_list,
    ]
    for step in steps:
        before = newest_list(scene)
        assert step().number == before.number + 1
        trust = trust.with_list(directory(scene).revocations)
    assert (newest_list(scene).number, newest_list(scene).epochs) == (5, {"release": 2, "registration": 2})


def test_what_is_revoked_is_not_revoked_again(scene: OfficeScene) -> None:
    issuing = scene.issuing()
    issuing.revoke("release", everything=True)
    for everything in (True, False):
        with pytest.raises(OperatorError, match="is revoked already"):
            issuing.revoke("release", everything=everything)
    assert newest_list(scene).number == 2


def test_new_keys_have_to_be_there_before_the_old_ones_are_revoked(scene: OfficeScene) -> None:
    """Who has a key stolen must not believe that it is worth nothing now."""
    issuing = scene.issuing()
    with pytest.raises(OperatorError) as refused:
        issuing.revoke("release", everything=False)
    assert (refused.value.why, refused.value.command) == (
        "it has no old keys", "fob-office server change-keys release"
    )  # fmt: skip
    assert newest_list(scene).number == 1
    issuing.change_keys("release")
    assert issuing.revoke("release", everything=False).epochs == {"release": 2}


@pytest.mark.parametrize("act", ["revoke", "change_keys"])
def test_a_server_that_there_is_not(scene: OfficeScene, act: str) -> None:
    issuing = scene.issuing()
    with pytest.raises(NotFoundError, match="there is no server nobody"):
        issuing.revoke("nobody", everything=True) if act == "revoke" else issuing.change_keys("nobody")


@pytest.mark.clause("R3", "R18")
def test_another_server_is_added_and_a_name_is_taken_once(scene: OfficeScene) -> None:
    issuing = scene.issuing()
    issuing.add_server("bank", "The bank", (Usage.ENTITLEMENT, Usage.REGISTRATION))
    assert scene.certificate("bank").usages == (Usage.REGISTRATION, Usage.ENTITLEMENT)
    with pytest.raises(OperatorError, match="there is a server bank already"):
        issuing.add_server("bank", "Another bank", (Usage.REGISTRATION,))
    assert scene.certificate("bank").title == "The bank"


@pytest.mark.parametrize(
    ("name", "title", "usages"),
    [
        ("Bank", "b", (Usage.RELEASE,)),
        ("bank", "", (Usage.RELEASE,)),
        ("bank", "b" * 65, (Usage.RELEASE,)),
        ("b", "b", ()),
    ],
)
def test_what_no_device_would_read_is_not_signed(
    scene: OfficeScene, name: str, title: str, usages: tuple[Usage, ...]
) -> None:
    with pytest.raises(UsageError, match="no device would read"):
        scene.issuing().add_server(name, title, usages)
    with scene.office.database.read() as session:
        assert len(server_views(session)) == 4


def test_all_servers_together_fit_into_one_answer(sqlite_scene: OfficeScene) -> None:
    issuing = sqlite_scene.issuing()
    for number in range(SERVERS_LIMIT - 4):
        # A data centre changes its keys itself.
        usages = set(Usage) - OF_CENTRE if number % 2 else Usage
        issuing.add_server(f"{number:032}", "\N{SNOWMAN}" * 64, tuple(usages))
        if number % 2:
            issuing.change_keys(f"{number:032}")
            issuing.revoke(f"{number:032}", everything=False)
    with pytest.raises(OperatorError, match="too many servers"):
        issuing.add_server("one-more", "One more", (Usage.RELEASE,))
    asked = sqlite_scene.question(DIRECTORY, CONFIGURATION, ListServers())
    sealed = sqlite_scene.answering.answer(DIRECTORY, asked.sealed)
    assert len(sealed) <= ANSWER_LIMIT
    assert len(read(Servers, asked.open(sealed).body).certificates) == SERVERS_LIMIT


def test_keys_that_are_kept_elsewhere_are_not_in_the_office(scene: OfficeScene, tmp_path: Path) -> None:
    file = tmp_path / "release.pem"
    scene.issuing().change_keys("release", keys_file=file)
    pair = KeyPair.read(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert pair.signing.public_key().public_bytes_raw() == scene.certificate("release").signing_key
    assert key_id(pair.sealing.public_key().public_bytes_raw()) == key_id(scene.certificate("release").sealing_key)
    with scene.office.database.read() as session:
        assert server_view(session, "release").state == "elsewhere"


def test_a_file_that_is_there_is_not_written_over_and_nothing_is_changed(scene: OfficeScene, tmp_path: Path) -> None:
    file = tmp_path / "release.pem"
    file.write_bytes(b"something")
    with pytest.raises(OperatorError, match="the keys were not made"):
        scene.issuing().change_keys("release", keys_file=file)
    assert (file.read_bytes(), scene.certificate("release").epoch) == (b"something", 1)


@pytest.mark.clause("R27")
def test_of_many_key_changes_at_once_each_has_its_own_epoch(scene: OfficeScene) -> None:
    """Whoever loses the race is told so; no epoch is given out twice, and no list says less than another."""
    issuing, start = scene.issuing(), Barrier(8)

    def change(number: int) -> str:
        start.wait(30)
        try:
            if number % 2:
                issuing.change_keys("release")
            else:
                issuing.renew_list()
        except OperatorError as error:
            return error.why
        return "done"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(change, range(8)))
    assert set(said) <= {
        "done",
        "somebody else has just done so",
        "somebody else has just signed one of the same number",
    }
    changes = sum(word == "done" for word in said[1::2])
    lists = sum(word == "done" for word in said[::2])
    assert changes >= 1
    assert lists >= 1
    assert scene.certificate("release").epoch == 1 + changes
    assert newest_list(scene).number == 1 + lists


@pytest.mark.clause("C1", "R27")
def test_a_device_that_was_made_with_old_keys_is_added_after_their_revocation(scene: OfficeScene) -> None:
    """It lay in store meanwhile. By the first thing that it asks it hears of the new keys."""
    device = generic_device(scene)
    scene.issuing().change_keys(CONFIGURATION)
    scene.issuing().revoke(CONFIGURATION, everything=False)
    add_device(scene.office, device.sealed_record(), OPERATOR)
    with scene.office.database.read() as session:
        assert device_of(session, device.serial).signing_key == device.public_key


@pytest.mark.clause("C1", "R27")
def test_no_device_is_added_by_a_server_that_is_no_more(scene: OfficeScene) -> None:
    device = generic_device(scene)
    scene.issuing().revoke(CONFIGURATION, everything=True)
    with pytest.raises(OperatorError, match="sealed to none of this office's servers"):
        add_device(scene.office, device.sealed_record(), OPERATOR)
