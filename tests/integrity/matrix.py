"""Every method that there is, and what a method needs."""

from collections.abc import Iterator
from typing import Final

import pytest

from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from integrity import second_measure as second

# Section 1's table, in words of its own: who embeds.
EMBEDDERS: Final = {1: (1,), 2: (2,), 3: (1,), 4: (2,), 5: (1, 2), 6: (1, 2), 7: (1, 2)}


def methods() -> Iterator[Method]:
    """D1 to D7, with both embedders where both may be, by VA-1 to VA-7: 70."""
    for technique, embedders in EMBEDDERS.items():
        for embedder in embedders:
            for variant in range(1, 8):
                yield Method(Technique(technique), Embedder(embedder), Variant(variant))


METHODS: Final = tuple(methods())


def shown(method: Method) -> str:
    """`D5-tool-VA-7`."""
    embedder = "" if method.technique <= Technique.D4 else f"-{method.embedder.name.lower()}"
    return f"{method.technique.name}{embedder}-VA-{method.variant}"


# For a test of each method; it counts for the clause of its variant.
EACH_METHOD: Final = pytest.mark.parametrize(
    "method",
    [pytest.param(method, id=shown(method), marks=pytest.mark.clause(f"VA-{method.variant}")) for method in METHODS],
)


def iv_for(method: Method, iv: bytes) -> bytes | None:
    """Where the variant has one."""
    return iv if method.variant in second.IV_IN_HEADER else None


def challenge_for(method: Method, challenge: bytes) -> bytes | None:
    """Where the technique has one."""
    return challenge if method.technique in second.CHALLENGED else None
