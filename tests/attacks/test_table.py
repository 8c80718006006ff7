"""The tables of attacks are whole, and docs/threat-model.md says the same."""

import re
from collections.abc import Iterator
from pathlib import Path

from attacks import test_on_devices, test_on_disks, test_on_offices
from attacks.lists import ALL, NOT_HERE

THREAT_MODEL = Path(__file__).parents[2] / "docs" / "threat-model.md"
# Refused by nobody: there is nothing to be read.
UNREADABLE = "eavesdropping [Uptane eavesdrop, SUIT IMG.DISCLOSURE, SUIT MFST.EXPOSURE] -"

WHERE = {
    "device": [*(attack.id for attack in test_on_devices.ATTACKS), UNREADABLE],
    "device, at a start": list(test_on_disks.ATTACKS),
    "office": list(test_on_offices.ATTACKS),
}


def rows() -> Iterator[tuple[str, str, str, str]]:
    """What, its names on the lists, where it is refused and how that is called."""
    for where, attacks in WHERE.items():
        for attack in attacks:
            found = re.fullmatch(r"(.+) \[(.+)\] (\S+)", attack)
            assert found is not None
            what, names, refused = found.groups()
            yield what, names, where, refused


def test_every_attack_of_the_lists_is_carried_out_or_said_not_to_be_refused_here() -> None:
    named = {name for _, names, _, _ in rows() for name in names.split(", ")}
    assert named | set(NOT_HERE) == set(ALL)
    assert not named & set(NOT_HERE)


def test_the_threat_model_has_the_same_table() -> None:
    text = THREAT_MODEL.read_text()
    expected = [
        f"| {what} | {names} | {where} | {'' if refused == '-' else f'`{refused}`'} |"
        for what, names, where, refused in rows()
    ]
    found = [line for line in text.splitlines() if re.match(r"\|.*\| (TUF|Uptane|SUIT) [A-Za-z]", line)]
    assert found == expected
    assert all(name in text for name in NOT_HERE)
