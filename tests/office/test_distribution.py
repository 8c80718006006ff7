"""Service `distribution`: each holder has one copy of a program, and hears its identifier until it has used it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select, update

from fob_office.devices.service import set_state
from fob_office.devices.tables import DeviceState
from fob_office.distribution.letters import make_letter
from fob_office.distribution.operating import disable, enable, reissue
from fob_office.distribution.tables import Copy, Letter
from fob_office.errors import NotFoundError, OperatorError
from fob_office.founding import SEPARATE_SERVERS
from fob_office.office import open_office
from fob_office.programs.service import withdraw_installation
from fob_protocol.integrity.copy_record import COMPONENT_POLICY, INSTALLATION_POLICY, Policy
from fob_protocol.integrity.distribution import AskCopies, Copies, CopyRequest, Enrol, Enrolment, Holding
from fob_protocol.integrity.identifier import mark_of
from fob_protocol.integrity.letter import read_letter
from fob_protocol.integrity.limits import LETTER_TIME
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.integrity.validation import State, Verdict
from fob_protocol.office.certificate import Usage
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal
from support.crowds import crowd
from support.holder import ReferenceHolder
from support.office import OfficeScene, office_scene, surroundings
from support.office_holders import (
    RATES,
    add_program,
    direct,
    holder_of,
    installation,
    octets_of,
    policy,
    rates_holder,
    refused,
    state_of,
)
from support.office_shop import OPERATOR, known_device, ordered_device, release

SERIALS = count(1)
# A thousand with FOB_CROWDS=all (`make soak`).
ASKING = crowd(150, 1000)
THREADS = 24


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeScene]:
    """One office for all that has nothing to do with the kind of database."""
    with office_scene(tmp_path_factory.mktemp("state")) as made:
        release(made, "rates", octets=RATES)
        add_program(made, "fobd", b"the daemon")
        yield made


def new_device(scene: OfficeScene) -> ReferenceHolder:
    device = ordered_device(scene, serial=f"D-{next(SERIALS):04}")
    return holder_of(scene, device.system_key, seed=next(SERIALS))


def new_computer(scene: OfficeScene) -> ReferenceHolder:
    return holder_of(scene, seed=1000 + next(SERIALS))


def ask(holder: ReferenceHolder, message: AskCopies | Enrol) -> Copies:
    return read(Copies, holder.ask(Service.DISTRIBUTION, holder.distribution.server, message))


def holding(name: str = "rates", octets: bytes = RATES) -> Holding:
    return Holding(name, (1, 0, 0), digest(octets))


# Who has copies, and how often.


@pytest.mark.clause("V1", "V3")
def test_each_copy_has_an_identifier_of_its_own(shop: OfficeScene) -> None:
    holders = [new_device(shop) for _ in range(3)]
    for holder in holders:
        holder.fetch({"rates": RATES})
    copies = [holder.copies["rates"] for holder in holders]
    assert len({copy.identifier for copy in copies}) == len({copy.number for copy in copies}) == 3
    # No two copies are the same octets, and nothing else of them differs.
    assert len({copy.octets + mark_of(copy.identifier) for copy in copies}) == 3
    assert {(copy.record.digest, copy.record.size) for copy in copies} == {(digest(RATES), len(RATES))}


@pytest.mark.clause("V1", "V6")
def test_a_mark_is_given_until_it_was_used(shop: OfficeScene) -> None:
    holder = new_device(shop)
    first = holder.copy_request([holding()])
    [given] = ask(holder, first).copies
    assert given.mark is not None
    # The same request, and a newer one: the copy that there is.
    assert ask(holder, first).copies == (given,)
    second = holder.copy_request([holding()])
    assert ask(holder, second).copies == (given,)
    holder.take_copies(Copies((given,)).octets(), {"rates": RATES})
    assert isinstance(holder.validate("rates"), Ticket)
    [later] = ask(holder, second).copies
    assert (later.mark, later.record) == (None, given.record)
    [later] = ask(holder, holder.copy_request([holding()])).copies
    assert (later.mark, later.record) == (None, given.record)


@pytest.mark.clause("V14")
def test_a_counter_goes_up(shop: OfficeScene) -> None:
    holder = new_device(shop)
    old, new = (holder.copy_request([holding()]) for _ in range(2))
    ask(holder, new)
    holder.counter = 1
    other = holder.copy_request([holding("fobd")])
    for message in (old, other):
        assert refused(lambda: ask(holder, message)) is Refusal.DENIED  # noqa: B023 - called at once
    ask(holder, new)


@pytest.mark.clause("V1")
def test_whoever_the_office_does_not_know_is_denied(shop: OfficeScene) -> None:
    stranger = new_computer(shop)
    no_order = known_device(shop, f"D-{next(SERIALS):04}")
    disabled = ordered_device(shop, serial="D-DISABLED")
    set_state(shop.office, "D-DISABLED", DeviceState.DISABLED, OPERATOR)
    for holder in (stranger, holder_of(shop, no_order.system_key), holder_of(shop, disabled.system_key)):
        assert refused(lambda: ask(holder, holder.copy_request([holding()]))) is Refusal.DENIED  # noqa: B023
    honest = new_device(shop)
    forged = CopyRequest(honest.public_key, 1, (holding(),), ()).signed(stranger.key)
    assert refused(lambda: ask(honest, AskCopies(forged))) is Refusal.DENIED
    assert refused(lambda: ask(honest, AskCopies(b"no request"))) is Refusal.MALFORMED


@pytest.mark.clause("V5")
def test_what_the_office_does_not_know_is_left_out(shop: OfficeScene) -> None:
    holder = new_device(shop)
    asked = [holding("nothing"), holding(), Holding("rates", (2, 0, 0), bytes(32)), holding("fobd"), holding()]
    records = [one.record for one in ask(holder, holder.copy_request(asked)).copies]
    with shop.office.database.read() as session:
        rows = session.scalars(select(Copy).order_by(Copy.id.desc()).limit(2)).all()
    assert {row.program for row in rows} == {"rates", "fobd"}
    assert len(records) == 2


@pytest.mark.clause("V2", "V15")
def test_a_program_of_other_octets_is_known_and_does_not_measure_right(shop: OfficeScene) -> None:
    """Whoever has changed octets is told what they ought to be, and is not left to run without validation."""
    holder = new_device(shop)
    holder.fetch({"rates": b"other octets"})
    assert holder.copies["rates"].record.digest == digest(RATES)
    assert isinstance(verdict := holder.validate("rates"), Verdict)
    assert verdict.state is State.INVALID


def test_policies_are_the_specification_s_until_an_operator_says_more(shop: OfficeScene) -> None:
    holder = new_device(shop)
    release(shop, "plain", octets=b"plain")
    fobd = add_program(shop, "fobd", b"the daemon", (1, 1, 0))
    holder.fetch({"plain": b"plain"})
    holder.fetch({"fobd": fobd}, version=(1, 1, 0))
    method = Method(Technique.D7, Embedder.DISTRIBUTOR, Variant.VA_7)
    assert (holder.copies["plain"].record.policy, holder.copies["plain"].record.method) == (COMPONENT_POLICY, method)
    assert holder.copies["fobd"].record.policy == INSTALLATION_POLICY
    policy(shop, "plain", technique="D1", variant="VA-1", lifetime=60, rolls=False)
    release(shop, "plain", (1, 1, 0), octets=b"plainer")
    policy(shop, "plain", (1, 1, 0), interval=30, grace=10)
    held = holder.copies["plain"].record
    holder.fetch({"plain": b"plain"})
    assert holder.copies["plain"].record == held
    holder.fetch({"plain": b"plainer"}, version=(1, 1, 0))
    assert holder.copies["plain"].record.policy == Policy(60, 30, 10, False)
    assert holder.copies["plain"].record.method == Method(Technique.D1, Embedder.DISTRIBUTOR, Variant.VA_1)
    with pytest.raises(OperatorError, match="is not embedded by"):
        policy(shop, "plain", technique="D1", embedder="tool")
    with pytest.raises(NotFoundError, match="no program nothing"):
        policy(shop, "nothing", rolls=True)


# A copy that is over.


@pytest.mark.clause("V15", "V16")
def test_an_invalid_copy_is_replaced_when_the_program_was_fetched_anew(shop: OfficeScene) -> None:
    holder = new_device(shop)
    holder.fetch({"rates": RATES})
    old = holder.copies["rates"]
    old.octets = b"damaged"
    assert isinstance(holder.validate("rates"), Verdict)
    holder.fetch({"rates": RATES})
    assert holder.copies["rates"].number == old.number
    request = holder.copy_request([holding()], [old.number])
    [new] = holder.take_copies(holder.ask(Service.DISTRIBUTION, "integrity", request), {"rates": RATES})
    assert new.number != old.number
    assert isinstance(holder.validate("rates"), Ticket)
    # Once is enough: the same request brings the same copy, and who asks so again keeps what is good.
    assert [one.record for one in ask(holder, request).copies] == [
        one.record for one in ask(holder, holder.copy_request([holding()], [old.number, new.number])).copies
    ]
    # The old one is over, and stays what it was.
    holder.copies["rates"] = old
    assert isinstance(verdict := holder.validate("rates"), Verdict)
    assert verdict.state is State.INVALID


@pytest.mark.clause("V16")
def test_a_disabled_copy_is_replaced_when_an_operator_says_so(shop: OfficeScene) -> None:
    holder = new_device(shop)
    holder.fetch({"rates": RATES})
    old = holder.copies["rates"]
    disable(shop.office, old.number, OPERATOR)
    holder.fetch({"rates": RATES}, replaced=[old.number])
    assert holder.copies["rates"] is old
    reissue(shop.office, old.number, OPERATOR)
    holder.fetch({"rates": RATES})
    assert holder.copies["rates"].number != old.number
    assert isinstance(holder.validate("rates"), Ticket)
    for change in (enable, reissue):
        with pytest.raises(OperatorError, match="it is replaced, or so already"):
            change(shop.office, old.number, OPERATOR)


@pytest.mark.clause("V16")
def test_what_is_disabled_last_stays_so_whatever_was_said_before(shop: OfficeScene) -> None:
    """Between the operator's two words the device did not ask."""
    holder = new_device(shop)
    holder.fetch({"rates": RATES})
    old = holder.copies["rates"]
    for before in (disable, reissue, disable):
        before(shop.office, old.number, OPERATOR)
    holder.fetch({"rates": RATES}, replaced=[old.number])
    assert (holder.copies["rates"], state_of(shop, old.number)) == (old, State.DISABLED)
    with pytest.raises(OperatorError, match="it is disabled, or so already"):
        disable(shop.office, old.number, OPERATOR)
    for before in (reissue, enable, disable):
        before(shop.office, old.number, OPERATOR)
    holder.fetch({"rates": RATES})
    assert holder.copies["rates"] is old


@pytest.mark.clause("V15", "V16")
def test_a_flag_wins_over_an_older_reissue(shop: OfficeScene) -> None:
    """A row of an office of before, where valid copies were reissued too."""
    holder = new_device(shop)
    holder.fetch({"rates": RATES})
    clone = holder.clone(seed=99)
    old = holder.copies["rates"]
    with shop.office.database.write() as session:
        session.execute(update(Copy).where(Copy.number == old.number).values(is_reissued=True))
    assert isinstance(holder.validate("rates"), Ticket)
    assert isinstance(clone.validate("rates"), Verdict)
    holder.fetch({"rates": RATES})
    assert (holder.copies["rates"], state_of(shop, old.number)) == (old, State.CLONED)


@pytest.mark.clause("V16")
def test_a_good_copy_is_disabled_before_it_is_reissued(shop: OfficeScene) -> None:
    """A device that has lost what it knew of its copy, or whose copy shall have what its program's policy says now."""
    holder = new_device(shop)
    add_program(shop, "strict", b"a program")
    holder.fetch({"strict": octets_of(installation(b"a program"))})
    assert isinstance(holder.validate("strict"), Ticket)
    old = holder.copies.pop("strict")
    policy(shop, "strict", lifetime=60)
    with pytest.raises(OperatorError, match="its holder keeps it, and asks for no other") as refused:
        reissue(shop.office, old.number, OPERATOR)
    assert f"copy disable {old.number.hex()}" in refused.value.command
    disable(shop.office, old.number, OPERATOR)
    reissue(shop.office, old.number, OPERATOR)
    holder.fetch({"strict": old.octets})
    assert isinstance(holder.validate("strict"), Ticket)
    assert (old.record.policy.lifetime, holder.copies["strict"].record.policy.lifetime) == (86_400, 60)
    assert state_of(shop, old.number) is State.DISABLED


def test_a_withdrawn_installation_is_disabled_from_the_start(shop: OfficeScene) -> None:
    octets = add_program(shop, "fobd", b"an older daemon", (0, 9, 0))
    before, after = new_device(shop), new_device(shop)
    before.fetch({"fobd": octets}, version=(0, 9, 0))
    withdraw_installation(shop.office, "fobd", (0, 9, 0), OPERATOR)
    after.fetch({"fobd": octets}, version=(0, 9, 0))
    assert isinstance(before.validate("fobd"), Ticket)
    assert isinstance(verdict := after.validate("fobd"), Verdict)
    assert verdict.state is State.DISABLED
    with pytest.raises(OperatorError, match=r"fobd 0\.9\.0 is withdrawn"):
        make_letter(shop.office, "fobd", (0, 9, 0), None, OPERATOR)
    with pytest.raises(OperatorError, match="it is a component"):
        withdraw_installation(shop.office, "rates", (1, 0, 0), OPERATOR)


def test_what_was_added_by_mistake_is_added_again_and_who_has_a_copy_of_it_gets_another(shop: OfficeScene) -> None:
    add_program(shop, "fobd", b"the wrong files", (0, 8, 0))
    right = octets_of(installation(b"the daemon"))
    invalid, waiting, disabled = new_device(shop), new_device(shop), new_device(shop)
    for holder in (invalid, waiting, disabled):
        holder.fetch({"fobd": right}, version=(0, 8, 0))
    old = {holder: holder.copies["fobd"].number for holder in (invalid, waiting, disabled)}
    assert isinstance(verdict := invalid.validate("fobd"), Verdict)
    assert verdict.state is State.INVALID
    disable(shop.office, old[disabled], OPERATOR)
    with pytest.raises(OperatorError, match="a mistake is withdrawn first"):
        add_program(shop, "fobd", b"the daemon", (0, 8, 0))
    withdraw_installation(shop.office, "fobd", (0, 8, 0), OPERATOR)
    assert add_program(shop, "fobd", b"the daemon", (0, 8, 0)) == right
    for holder in old:
        holder.fetch({"fobd": right}, version=(0, 8, 0))
    assert [holder.copies["fobd"].number == number for holder, number in old.items()] == [False, False, True]
    assert [type(holder.validate("fobd")) for holder in old] == [Ticket, Ticket, Verdict]
    assert state_of(shop, old[disabled]) is State.DISABLED


# Letters.


@pytest.mark.clause("V6")
@pytest.mark.parametrize("technique", [None, Technique.D2, Technique.D4])
def test_a_letter_makes_a_computer_a_holder(shop: OfficeScene, technique: Technique | None) -> None:
    octets = add_program(shop, "letters", b"a program", (1, 0, technique or 0))
    computer, version = new_computer(shop), (1, 0, int(technique or 0))
    letter = make_letter(shop.office, "letters", version, technique, OPERATOR)
    copy = computer.enrol(letter, "letters", octets, version)
    assert copy.record.method.embedder is Embedder.TOOL
    assert copy.record.method.technique is (technique or Technique.D7)
    # Everybody's octets are the same, and no mark crosses the net.
    [given] = ask(computer, computer.enrolment(letter, "letters", octets, version)).copies
    assert given.mark is None
    assert isinstance(computer.validate("letters"), Ticket)
    [given] = ask(computer, computer.enrolment(letter, "letters", octets, version)).copies
    assert given.record
    # It is known now, and asks for what it enrolled for as devices do, and for nothing else.
    newer = add_program(shop, "letters", b"a newer program", (2, 0, technique or 0))
    both = [Holding("letters", (2, 0, int(technique or 0)), digest(newer)), holding()]
    assert len(ask(computer, computer.copy_request(both)).copies) == 1


@pytest.mark.clause("V6")
def test_a_letter_is_used_once(shop: OfficeScene) -> None:
    letter = make_letter(shop.office, "fobd", (1, 0, 0), None, OPERATOR)
    first, second = new_computer(shop), new_computer(shop)
    first.enrol(letter, "fobd", b"")
    assert refused(lambda: second.enrol(letter, "fobd", b"")) is Refusal.LETTER_USED
    first.enrol(letter, "fobd", b"")
    with shop.office.database.read() as session:
        assert session.scalars(select(Letter.identifier).where(Letter.copy.is_not(None))).first() is None


@pytest.mark.clause("V6")
def test_a_letter_is_good_for_its_program_its_time_and_who_knows_it(sqlite_scene: OfficeScene) -> None:
    scene = sqlite_scene
    octets = add_program(scene, "fobd", b"the daemon")
    add_program(scene, "other", b"another")
    letter = make_letter(scene.office, "fobd", (1, 0, 0), None, OPERATOR)
    computer = new_computer(scene)
    assert refused(lambda: computer.enrol(letter, "other", octets)) is Refusal.DENIED
    assert refused(lambda: computer.enrol(letter, "nothing", octets)) is Refusal.DENIED
    # Who knows its name alone.
    named = Enrolment.made(computer.public_key, holding("fobd"), read_letter(letter))
    unproved = Enrolment(named.holder, named.holding, named.identifier_name, bytes(32))
    assert refused(lambda: ask(computer, Enrol(unproved.signed(computer.key)))) is Refusal.DENIED
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    assert refused(lambda: ask(computer, Enrol(named.signed(stranger)))) is Refusal.DENIED
    scene.clock.pass_by(LETTER_TIME)
    late = make_letter(scene.office, "fobd", (1, 0, 0), None, OPERATOR)
    computer.enrol(letter, "fobd", octets)
    scene.clock.pass_by(LETTER_TIME + 1)
    assert refused(lambda: computer.enrol(late, "fobd", octets)) is Refusal.DENIED
    make_letter(scene.office, "fobd", (1, 0, 0), None, OPERATOR)
    with scene.office.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Letter)) == 1


@pytest.mark.clause("V6", "V16")
def test_a_letter_brings_a_new_copy_unless_the_old_one_is_disabled(shop: OfficeScene) -> None:
    computer = new_computer(shop)
    letters = [make_letter(shop.office, "fobd", (1, 0, 0), None, OPERATOR) for _ in range(4)]
    first = computer.enrol(letters[0], "fobd", b"")
    second = computer.enrol(letters[1], "fobd", b"")
    assert (state_of(shop, first.number), state_of(shop, second.number)) == (State.DISABLED, State.VALID)
    disable(shop.office, second.number, OPERATOR)
    assert refused(lambda: computer.enrol(letters[2], "fobd", b"")) is Refusal.DENIED
    reissue(shop.office, second.number, OPERATOR)
    third = computer.enrol(letters[2], "fobd", b"")
    assert state_of(shop, third.number) is State.VALID


@pytest.mark.clause("V6")
def test_a_device_has_a_letter_s_copy_in_the_place_of_one_without_a_mark(shop: OfficeScene) -> None:
    octets = add_program(shop, "typed", b"a program")
    policy(shop, "typed", technique="D4")
    device = new_device(shop)
    [given] = ask(device, device.copy_request([holding("typed", octets)])).copies
    assert given.mark is None
    device.enrol(make_letter(shop.office, "typed", (1, 0, 0), None, OPERATOR), "typed", octets)
    assert isinstance(device.validate("typed"), Ticket)


# One server or two.


@pytest.mark.clause("V3", "V4")
def test_one_server_does_both(shop: OfficeScene) -> None:
    certificate = shop.certificate("integrity")
    assert certificate.usages == (Usage.DISTRIBUTION, Usage.VALIDATION)
    holder = new_device(shop)
    holder.fetch({"rates": RATES})
    copy = holder.copies["rates"]
    assert (copy.record.validation_server, copy.validation) == ("integrity", certificate)
    assert isinstance(holder.validate("rates"), Ticket)


@pytest.mark.clause("V3", "V4")
def test_two_servers_have_keys_of_their_own(state: Path, database_url: str | None) -> None:
    with office_scene(state, database_url, servers=SEPARATE_SERVERS) as scene:
        distribution, validation = scene.certificate("distribution"), scene.certificate("validation")
        assert (distribution.usages, validation.usages) == ((Usage.DISTRIBUTION,), (Usage.VALIDATION,))
        assert distribution.signing_key != validation.signing_key
        holder = rates_holder(scene, distribution="distribution")
        assert holder.copies["rates"].validation == validation
        ticket = holder.validate("rates")
        assert isinstance(ticket, Ticket)
        assert ticket.server == "validation"


# Many at the same time.


@pytest.mark.clause("V1")
def test_many_requests_at_once_make_one_copy(scene: OfficeScene) -> None:
    """Through two offices over one database, as two workers or two machines are."""
    release(scene, "rates", octets=RATES)
    holder = holder_of(scene, ordered_device(scene).system_key)
    message = holder.copy_request([holding()])
    second = open_office(scene.office.settings, {}, surroundings(scene.clock, seed=7))
    try:
        asks = (direct(scene.office), direct(second))
        with ThreadPoolExecutor(THREADS) as threads:
            answers = set(threads.map(lambda n: asks[n % 2](Service.DISTRIBUTION, "integrity", message), range(ASKING)))
    finally:
        second.close()
    with scene.office.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Copy)) == 1
    [answer] = answers
    holder.take_copies(answer, {"rates": RATES})
    assert isinstance(holder.validate("rates"), Ticket)


@pytest.mark.clause("V6")
def test_of_many_who_use_one_letter_at_once_one_has_its_copy(scene: OfficeScene) -> None:
    octets = add_program(scene, "fobd", b"the daemon")
    letter = make_letter(scene.office, "fobd", (1, 0, 0), None, OPERATOR)
    ask_it = direct(scene.office)
    computers = [holder_of(scene, ask=ask_it, seed=1000 + number) for number in range(20)]

    def enrol(computer: ReferenceHolder) -> Refusal | None:
        try:
            computer.enrol(letter, "fobd", octets)
        except RefusedError as error:
            return error.refusal
        return None

    with ThreadPoolExecutor(len(computers)) as threads:
        outcomes = sorted(threads.map(enrol, computers), key=str)
    assert outcomes == [None, *[Refusal.LETTER_USED] * 19]
    with scene.office.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Copy)) == 1
