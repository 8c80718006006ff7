"""Which number stands for which caller, and when its block goes along."""

from contextlib import ExitStack

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from fob_daemon.caller.numbers import NOBODY, CallerNumbers, Naming
from fob_protocol.caller import CALLERS_LIMIT, Caller

BOOT, NEXT_BOOT = b"boot 1..", b"boot 2.."


def caller(name: object) -> Caller:
    return Caller((str(name),))


def ask(numbers: CallerNumbers, who: object, boot: bytes | None = BOOT) -> Naming:
    """A whole request, which the device answers."""
    with numbers.using(caller(who), boot) as naming:
        numbers.answered(naming)
    return naming


def test_a_block_goes_along_the_first_time_only() -> None:
    numbers = CallerNumbers()
    assert ask(numbers, "ssh").values == (0, caller("ssh").to_block())
    assert ask(numbers, "ssh").values == (0, None)
    assert ask(numbers, "git").values == (1, caller("git").to_block())
    assert ask(numbers, "ssh").values == (0, None)


def test_nobody_has_no_number() -> None:
    with CallerNumbers().using(None, BOOT) as naming:
        assert naming is NOBODY
        assert naming.values == naming.full == (None, None)


def test_without_an_answer_the_device_knows_nothing() -> None:
    numbers = CallerNumbers()
    with numbers.using(caller("ssh"), BOOT):
        pass
    assert not ask(numbers, "ssh").is_known


def test_a_device_that_restarted_is_told_again_and_the_numbers_stay() -> None:
    numbers = CallerNumbers()
    ask(numbers, "ssh")
    assert ask(numbers, "git", NEXT_BOOT).values == (1, caller("git").to_block())
    assert ask(numbers, "ssh", NEXT_BOOT).values == (0, caller("ssh").to_block())
    assert ask(numbers, "ssh", NEXT_BOOT).is_known


def test_an_answer_from_before_a_restart_says_nothing_of_the_time_after() -> None:
    numbers = CallerNumbers()
    with numbers.using(caller("ssh"), BOOT) as naming:
        ask(numbers, "git", NEXT_BOOT)
        numbers.answered(naming)
    assert not ask(numbers, "ssh", NEXT_BOOT).is_known


def test_while_the_device_is_away_nothing_is_taken_for_known() -> None:
    numbers = CallerNumbers()
    ask(numbers, "ssh")
    assert not ask(numbers, "ssh", None).is_known
    assert ask(numbers, "ssh").is_known


def test_the_number_that_was_used_longest_ago_is_given_away() -> None:
    numbers = CallerNumbers()
    for who in range(CALLERS_LIMIT):
        assert ask(numbers, who).number == who
    assert ask(numbers, 0).is_known
    assert ask(numbers, "new").values == (1, caller("new").to_block())
    assert ask(numbers, 1).values == (2, caller(1).to_block()), "it lost its own"
    assert ask(numbers, 0).is_known


def test_no_number_changes_hands_while_a_request_with_it_is_under_way() -> None:
    numbers = CallerNumbers(limit=2)
    with numbers.using(caller("ssh"), BOOT), numbers.using(caller("ssh"), BOOT):
        ask(numbers, "git")
        assert ask(numbers, "gpg").number == 1
        with numbers.using(caller("gpg"), BOOT), numbers.using(caller("curl"), BOOT) as naming:
            assert naming is NOBODY
    assert ask(numbers, "curl").number is not None


class Device(RuleBasedStateMachine):
    """However requests overlap, whatever the device answers is said in the name of who asked."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = CallerNumbers(limit=3)
        self.boots = 0
        self.known: dict[int, Caller] = {}
        self.under_way: list[tuple[ExitStack, Naming]] = []

    @rule(who=st.integers(0, 5))
    def begin(self, who: int) -> None:
        stack = ExitStack()
        naming = stack.enter_context(self.numbers.using(caller(who), str(self.boots).encode()))
        assert naming.caller in (None, caller(who))
        self.under_way.append((stack, naming))

    @rule(position=st.integers(0, 9), arrives=st.booleans())
    def end(self, position: int, arrives: bool) -> None:
        """In any order, as on a line that loses frames."""
        if not self.under_way:
            return
        stack, naming = self.under_way.pop(position % len(self.under_way))
        if arrives and naming.number is not None:
            if not naming.is_known or naming.number not in self.known:
                assert naming.caller is not None
                self.known[naming.number] = naming.caller
            assert self.known[naming.number] == naming.caller
            self.numbers.answered(naming)
        stack.close()

    @rule()
    def restart(self) -> None:
        self.boots += 1
        self.known.clear()


TestDevice = Device.TestCase
TestDevice.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
