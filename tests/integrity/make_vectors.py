"""Make the test vectors of the integrity check value anew, by the second implementation.

PYTHONPATH=tests python -m integrity.make_vectors
"""

import json
from pathlib import Path
from typing import Any

from integrity import second_measure as second
from integrity.made_up import made_up

FILE = Path(__file__).with_name("vectors.json")


def vectors() -> dict[str, Any]:
    """Each technique with each variant, of an octet string without octets, one octet, and a small marked program."""
    made = []
    for technique in range(1, 8):
        for variant in range(1, 8):
            for size in (0, 1, 57):
                made.append(vector(technique, variant, size))
    return {"title": "Fob integrity check values, version 1 (docs/integrity-protocol.md, section 2)", "vectors": made}


def vector(technique: int, variant: int, size: int) -> dict[str, Any]:
    """One of them; the largest content is a program of 17 octets and its mark."""
    name = f"D{technique} VA-{variant} {size}"
    identifier = made_up(f"{name} identifier", 32)
    iv = made_up(f"{name} iv", 16) if variant in second.IV_IN_HEADER else None
    challenge = made_up(f"{name} challenge", 32) if technique in second.CHALLENGED else None
    content = made_up(f"{name} content", size)
    if size > 40:
        content = content[: size - 40] + b"fobmark1" + identifier
    way = second.way(technique, variant, identifier, iv, size)
    value = second.measure(technique, variant, identifier, iv, challenge, content)
    return {
        "technique": technique,
        "variant": variant,
        "identifier": identifier.hex(),
        "iv": iv and iv.hex(),
        "challenge": challenge and challenge.hex(),
        "content": content.hex(),
        "offset": way.offset,
        "direction": way.direction,
        "value": value.hex(),
    }


def as_text() -> str:
    """What stands in the file: a vector a line."""
    made = vectors()
    lines = ",\n".join(f"    {json.dumps(one)}" for one in made["vectors"])
    return f'{{\n  "title": {json.dumps(made["title"])},\n  "vectors": [\n{lines}\n  ]\n}}\n'


if __name__ == "__main__":
    FILE.write_text(as_text(), encoding="utf-8")
