"""Signatures over a slow line against what the line allows: the octets of the limit, ten bits each."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from client import Client
from figures import Figure, at_most, run_bench
from paced_line import BITS_PER_OCTET
from stages import Stage, our_stage, run

BAUDS: Final = (9600, 115200)
# Key, octets of the limit both ways, the goal for time / limit.
SIGNATURES: Final = (("P-256", 138, 1.3), ("RSA-2048", 331, 1.15))
COUNT: Final = 20
QUICK_COUNT: Final = 3
# How many small signatures are made beside the client that signs 1 MiB.
BESIDE_COUNT: Final = 100
LONG_COUNT: Final = 8


def measure(quick: bool) -> Sequence[Figure]:
    """Every line in turn."""
    figures: list[Figure] = []
    for baud in BAUDS:
        with our_stage(baud) as stage:
            with Client(stage.environment) as client:
                figures += signatures(client, baud, QUICK_COUNT if quick else COUNT)
            figures.append(cold_signature(stage, baud))
            if baud == BAUDS[-1]:
                figures.append(beside_a_long_one(stage, quick))
    return figures


def signatures(client: Client, baud: int, count: int) -> list[Figure]:
    """Warm: C_SignInit and C_Sign in a session that is logged in."""
    figures = []
    for key, octets, goal in SIGNATURES:
        client.run("sign", 1, key)
        took = median(client.run("sign", count, key))
        limit = octets * BITS_PER_OCTET / baud
        detail = f"{took * 1000:.2f} and {limit * 1000:.2f} ms"
        figures.append(Figure(f"{key} at {baud}: time / limit", took / limit, "times", at_most(goal), detail))
    return figures


def cold_signature(stage: Stage, baud: int) -> Figure:
    """pkcs11-tool from its start to its end."""
    message = stage.scratch.folder / "message"
    message.write_bytes(bytes(32))
    before = stage.round_trips()
    run(
        "pkcs11-tool", "--module", stage.environment["PKCS11_MODULE"],
        "--token-label", stage.environment["PKCS11_TOKEN_LABEL"], "--login", "--pin", "env:PKCS11_PIN",
        "--sign", "--mechanism", "SHA256-RSA-PKCS", "--label", "RSA-2048",
        "--input-file", str(message), "--output-file", str(message.with_suffix(".sig")),
        environment=stage.environment,
    )  # fmt: skip
    crossed = stage.round_trips() - before
    return Figure(f"cold pkcs11-tool --login --sign at {baud}", crossed, "round trips", at_most(2))


def beside_a_long_one(stage: Stage, quick: bool) -> Figure:
    """A P-256 signature alone, and while another client signs 1 MiB after 1 MiB."""
    count = QUICK_COUNT if quick else BESIDE_COUNT
    with Client(stage.environment) as small, Client(stage.environment) as large:
        small.run("sign", 1, "P-256")
        large.run("sign", 1, "RSA-2048")
        alone = median(small.run("sign", count, "P-256"))
        large.begin("sign-long", 1 if quick else LONG_COUNT, "RSA-2048")
        beside = median(small.run("sign", count, "P-256"))
        long = median(large.times())
    detail = f"{beside * 1000:.2f} and {alone * 1000:.2f} ms; 1 MiB took {long:.2f} s"
    return Figure(f"P-256 at {BAUDS[-1]} beside a 1 MiB client / alone", beside / alone, "times", at_most(1.2), detail)


if __name__ == "__main__":
    run_bench(__doc__, measure)
