"""What staff can do to a log, at random: FOB_LOG_EDITS=all tries 10,000 edits, else a hundred."""

import os
from pathlib import Path
from random import Random

import pytest

from support.meter_log import MeterLog, Witness, checkpoint, export

SIZE = 24
MIDDLE = 11
EDITS = 10_000 if os.environ.get("FOB_LOG_EDITS") == "all" else 100


def deleted(entries: list[bytes], random: Random) -> set[str]:
    place = random.randrange(SIZE)
    del entries[place]
    return {"deleted"} if place < SIZE - 1 else {"cut-off"}


def swapped(entries: list[bytes], random: Random) -> set[str]:
    one, other = random.sample(range(SIZE), 2)
    entries[one], entries[other] = entries[other], entries[one]
    return {"swapped"}


def put_back(entries: list[bytes], random: Random) -> set[str]:
    # A copy of the last one behind it would be before no checkpoint.
    source, place = random.randrange(SIZE - 1), random.randrange(SIZE)
    entries.insert(place, entries[source])
    # One place early, it begins as if the two had changed places.
    return {"put-back", "swapped"} if place == source - 1 else {"put-back"}


def changed(entries: list[bytes], random: Random) -> set[str]:
    place = random.randrange(SIZE)
    entry = bytearray(entries[place])
    entry[random.randrange(len(entry))] ^= 1 << random.randrange(8)
    entries[place] = bytes(entry)
    return {"changed"}


# For all of them.
@pytest.mark.timeout(900)
def test_every_edit_is_found_and_named(tmp_path: Path) -> None:
    entries = MeterLog().live(SIZE).entries
    words = [checkpoint(entries, size) for size in (MIDDLE, SIZE)]
    witness = Witness(tmp_path)
    assert witness.asks(export(entries), *words).status == 0
    random = Random(5)
    for _ in range(EDITS):
        edited = list(entries)
        names = random.choice((deleted, swapped, put_back, changed))(edited, random)
        first = next((at for at in range(SIZE - 1) if edited[at] != entries[at]), SIZE - 1)

        without = witness.asks(export(edited), *words)
        assert without.status == 1
        assert without.outcomes[0] == "agrees" or first < MIDDLE
        assert without.outcomes[1] != "agrees"

        answer = witness.keeping(export(entries)).asks(export(edited), *words)
        difference = answer.json["kept"]
        assert (answer.status, difference["place"]) == (1, first)
        assert difference["outcome"] in names
        verdicts = [
            verdict for verdict in answer.json["checkpoints"] if verdict["outcome"] not in ("agrees", "cut-off")
        ]
        assert {verdict["place"] for verdict in verdicts} <= {first}
