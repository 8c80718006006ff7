"""Every attack of the lists that is a device's to refuse, carried out: it is refused by its name, nothing is lost.

What was installed goes on running, also after a power cut; the office hears of it; the next honest set runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from attacks.siege import Siege, put
from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.talker import TRIES
from fob_protocol.office.configuration import Outcome
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault
from fob_protocol.office.limits import CONTENT_LIMIT, COUNTER_STEP
from fob_protocol.office.release import wrap_key
from support.component_device import equipped
from support.device_bench import DATA, SERIAL, DeviceBench, echo_module, on_bench
from support.octets import flipped
from support.office_signers import HARDWARE, Draft, public

# Seconds for which a careful office lets a set be good.
SHORT: Final = 3600


@dataclass(frozen=True)
class Attack:
    """`lists` is what others call it. `outcome`: what the office hears became of the set; None: no set had come."""

    what: str
    lists: str
    refused: str
    carry_out: Callable[[Siege], object]
    outcome: Outcome | None = Outcome.REFUSED

    @property
    def id(self) -> str:
        return f"{self.what} [{self.lists}] {self.refused}"


def on_the_set(spoil: Callable[[Draft], object]) -> Callable[[Siege], object]:
    return lambda siege: siege.spoil_set(spoil)


def forged_release(siege: Siege) -> None:
    forged = siege.looping(siege.without_key(siege.signers.releases))
    siege.spoil_set(lambda draft: put(draft, 2, forged))


def release_of_the_configuration_server(siege: Siege) -> None:
    def spoil(draft: Draft) -> None:
        put(draft, 2, siege.looping(siege.signers.configuration))
        draft.certificates.append(siege.signers.configuration.signed)

    siege.spoil_set(spoil)


def stolen_release_key(siege: Siege) -> None:
    """It was noticed: the list revokes it. Who has it signs on."""
    stolen = siege.signers.releases
    siege.office.list_number, siege.office.revoked = 2, {"releases": 2}
    siege.signers.releases = siege.signers.server("releases", *stolen.certificate.usages, epoch=2)

    def spoil(draft: Draft) -> None:
        put(draft, 2, siege.looping(stolen))
        draft.certificates = [stolen.signed]

    siege.spoil_set(spoil)


def impostor(siege: Siege) -> None:
    """It opens questions, as by a stolen sealing key, and cannot sign."""
    siege.signers.configuration = siege.without_key(siege.signers.configuration)


def set_of_another_device(siege: Siege) -> None:
    other = equipped(siege.signers, "FM-0002")

    def spoil(draft: Draft) -> None:
        draft.change(device=other.key_id)
        draft.keys = [wrap_key(one.key, public(other.sealing_key), one.signed) for one in draft.released]
        draft.code = siege.signers.code(other, draft)

    siege.spoil_set(spoil)


def set_of_before(siege: Siege) -> None:
    """Genuine octets, in an answer of now: by somebody who speaks for the server and has none of its sets' keys."""
    siege.office.spoil_body = lambda service, body: siege.granted if body[1:2] == b"\x02" else body


def answers_of_before(siege: Siege) -> None:
    old: dict[Service, bytes] = {}
    siege.office.spoil_sealed = lambda service, sealed: old.setdefault(service, sealed)


def altered_answers(siege: Siege) -> None:
    siege.office.spoil_sealed = lambda _, sealed: flipped(sealed)


def no_answers(siege: Siege) -> None:
    siege.bench.post.failures = [NotCarriedError(NotCarried.UNREACHABLE) for _ in range(TRIES)]


def list_of_before(siege: Siege) -> None:
    siege.office.list_number = 0


def without_the_table(draft: Draft) -> None:
    draft.released.pop(0)
    draft.change(entries=draft.manifest.entries[1:])


def text_as_a_module(siege: Siege) -> None:
    siege.office.order = [*(siege.office.order or [])[:2], siege.looping(content=b"1 letter 95")]


def chunks_that_come_late(siege: Siege) -> None:
    def late(chunk: bytes) -> bytes:
        siege.office.now += SHORT + 1
        return chunk

    siege.spoil_chunks(late)
    siege.spoil_set(lambda draft: draft.change(until=siege.office.now + SHORT))


def chunks_of_another(siege: Siege) -> None:
    """A redirect: to a genuine chunk, of another release."""
    table = (siege.office.order or [])[0]
    siege.spoil_chunks(lambda _: table.chunks[-1])


ATTACKS: Final = (
    Attack(
        "a release that its server has not signed",
        "TUF arbitrary software installation, Uptane arbitrary software, SUIT IMG.NON_AUTH",
        Fault.WRONG_SIGNATURE, forged_release,
    ),
    Attack(
        "a chunk that was changed",
        "SUIT IMG.NON_AUTH",
        Fault.WRONG_DIGEST, lambda siege: siege.spoil_chunks(lambda chunk: flipped(chunk)),
    ),
    Attack(
        "a component without end",
        "TUF endless data, Uptane endless data",
        Fault.TOO_LARGE,
        lambda siege: siege.spoil_set(lambda draft: put(draft, 2, siege.looping(size=CONTENT_LIMIT + 1))),
    ),
    Attack(
        "octets behind an image",
        "SUIT IMG.EXTRA, TUF endless data, Uptane endless data",
        Fault.WRONG_SIZE, lambda siege: siege.spoil_chunks(lambda chunk: chunk + b"?"),
    ),
    Attack(
        "a release that the set does not name",
        "TUF extraneous dependencies",
        Fault.EXTRANEOUS_DEPENDENCY,
        lambda siege: siege.spoil_set(lambda draft: draft.released.append(siege.signers.release("extra", b"extra"))),
    ),
    Attack(
        "a set far ahead",
        "TUF fast-forward, SUIT UPD.WRONG_PRECURSOR",
        Fault.SET_ROLLBACK, on_the_set(lambda draft: draft.change(set_number=1_000_000)),
    ),
    Attack(
        "a security counter far ahead",
        "TUF fast-forward",
        Fault.COUNTER_TOO_FAR,
        lambda siege: siege.spoil_set(
            lambda draft: put(draft, 2, siege.looping(security_counter=COUNTER_STEP + 2))
        ),
    ),
    Attack(
        "chunks that come when the set is over",
        "TUF indefinite freeze, TUF slow retrieval, Uptane freeze, Uptane slow retrieval, SUIT IMG.EXPIRED.OFFLINE",
        Fault.EXPIRED, chunks_that_come_late,
    ),
    Attack(
        "answers of before",
        "TUF indefinite freeze, Uptane freeze",
        Fault.STALE_ANSWER, answers_of_before, outcome=None,
    ),
    Attack(
        "a revocation list of before",
        "TUF indefinite freeze, TUF rollback",
        Fault.LIST_ROLLBACK, list_of_before, outcome=None,
    ),
    Attack(
        "a set of before, in an answer of now",
        "TUF rollback, Uptane rollback, SUIT IMG.EXPIRED",
        Fault.STALE_ANSWER, set_of_before,
    ),
    Attack(
        "the number of an older set",
        "TUF rollback, Uptane rollback, SUIT IMG.EXPIRED",
        Fault.SET_ROLLBACK, on_the_set(lambda draft: draft.change(set_number=1)),
    ),
    Attack(
        "an older version of what is installed",
        "TUF rollback, Uptane rollback, SUIT IMG.EXPIRED",
        Fault.VERSION_ROLLBACK,
        lambda siege: siege.spoil_set(
            lambda draft: put(draft, 1, siege.signers.release("echo", echo_module(), version=(0, 9, 0)))
        ),
    ),
    Attack(
        "a lower security counter",
        "TUF rollback, Uptane rollback, SUIT IMG.EXPIRED",
        Fault.COUNTER_ROLLBACK, on_the_set(lambda draft: draft.change(security_counter=0)),
    ),
    Attack(
        "a release of another set",
        "TUF mix-and-match, Uptane mix-and-match, Uptane mixed bundles",
        Fault.MIX_AND_MATCH,
        lambda siege: siege.spoil_set(
            lambda draft: draft.released.__setitem__(2, siege.looping(version=(1, 1, 0)))
        ),
    ),
    Attack(
        "a set that lacks a release",
        "Uptane partial bundle installation",
        Fault.MIX_AND_MATCH, on_the_set(lambda draft: draft.released.pop()),
    ),
    Attack(
        "a set that lacks what a component needs",
        "Uptane partial bundle installation, Uptane mixed bundles",
        Fault.MISSING_DEPENDENCY, on_the_set(without_the_table),
    ),
    Attack(
        "a release by the configuration server's key",
        "TUF vulnerability to key compromises, SUIT KEY.EXPOSURE",
        Fault.OTHER_USAGE, release_of_the_configuration_server,
    ),
    Attack(
        "a release by a stolen key that was revoked",
        "TUF vulnerability to key compromises, SUIT KEY.EXPOSURE",
        Fault.REVOKED, stolen_release_key,
    ),
    Attack(
        "answers of an impostor",
        "TUF vulnerability to key compromises, SUIT KEY.EXPOSURE, SUIT NET.ONPATH",
        Fault.WRONG_SIGNATURE, impostor, outcome=None,
    ),
    Attack(
        "a release for other hardware",
        "TUF wrong software installation, SUIT IMG.INCOMPATIBLE",
        Fault.OTHER_HARDWARE,
        lambda siege: siege.spoil_set(lambda draft: put(draft, 2, siege.looping(hardware=("meter-2",)))),
    ),
    Attack(
        "the set of another device",
        "TUF wrong software installation, SUIT NET.REDIRECT",
        Fault.OTHER_DEVICE, set_of_another_device,
    ),
    Attack(
        "a text that is released as a module",
        "SUIT IMG.FORMAT",
        "bad-module",
        text_as_a_module, Outcome.REVERTED,
    ),
    Attack(
        "a module over the loader",
        "SUIT IMG.LOCATION",
        Fault.OUT_OF_RANGE, on_the_set(lambda draft: draft.entry(2, start=0x1000)),
    ),
    Attack(
        "a chunk of another release",
        "SUIT NET.REDIRECT",
        Fault.WRONG_SIZE, chunks_of_another,
    ),
    Attack(
        "answers that were changed",
        "SUIT NET.ONPATH",
        Fault.STALE_ANSWER, altered_answers, outcome=None,
    ),
    Attack(
        "another authorisation code",
        "SUIT UPD.UNAPPROVED, SUIT MFST.OVERRIDE",
        Fault.WRONG_AUTHORISATION, on_the_set(lambda draft: setattr(draft, "code", bytes(32))),
    ),
    Attack(
        "a line that calls a release by another name",
        "SUIT MFST.OVERRIDE",
        Fault.UNKNOWN_ID, on_the_set(lambda draft: draft.entry(2, component="another")),
    ),
    Attack(
        "a command that is another component's",
        "SUIT MFST.OVERRIDE",
        Fault.NAME_IN_USE,
        lambda siege: siege.spoil_set(lambda draft: put(draft, 2, siege.looping(commands=("XECHO",)))),
    ),
    Attack(
        "no answers",
        "TUF malicious mirrors, Uptane drop-request, Uptane denial of service",
        NotCarried.UNREACHABLE, no_answers, outcome=None,
    ),
)  # fmt: skip


@pytest.mark.clause("C16", "C20", "C23", "C24", "C25", "C26", "C27")
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_an_attack(tmp_path: Path, attack: Attack) -> None:
    async def story(bench: DeviceBench) -> None:
        siege = Siege(bench)
        await siege.begin()
        attack.carry_out(siege)
        assert await siege.refusal() == attack.refused
        assert siege.still_runs
        siege.end()
        if attack.outcome is not None:
            assert await siege.told(2) == (attack.outcome, attack.refused)
        await siege.restart()
        assert siege.still_runs
        assert await siege.configure()

    on_bench(tmp_path, story)


@pytest.mark.clause("C8")
def test_who_reads_all_that_is_carried_learns_nothing_of_it(tmp_path: Path) -> None:
    """Eavesdropping [Uptane eavesdrop, SUIT IMG.DISCLOSURE, SUIT MFST.EXPOSURE], and a disk that is read."""

    async def story(bench: DeviceBench) -> None:
        siege = Siege(bench)
        answers: list[bytes] = []

        def overhear(_: Service, sealed: bytes) -> bytes:
            answers.append(sealed)
            return sealed

        bench.office.spoil_sealed = overhear
        await siege.begin()
        disk = [path.read_bytes() for path in (tmp_path / "components").iterdir()]
        names = [SERIAL.encode(), HARDWARE.encode(), b"table", b"XECHO", public(bench.device.signing_key)]
        assert len(answers) == len(bench.post.sealed) > 5
        assert not any(word in octets for word in names for octets in [*answers, *bench.post.sealed])
        contents = [DATA[:24], DATA[-24:], echo_module()[:24], echo_module()[-24:]]
        assert not any(part in octets for part in contents for octets in [*answers, *bench.post.sealed, *disk])

    on_bench(tmp_path, story)
