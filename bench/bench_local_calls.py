"""Calls per second through the stock p11-kit-client: fobd with a phone, and p11-kit server with SoftHSM2, in turn."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from client import Client
from figures import Figure, at_least, run_bench
from stages import our_stage, peer_stage

# What, task, key, calls per run, the goal for ours / peer.
FLOWS: Final = (
    ("C_GetSessionInfo", "session-info", "", 2000, 0.5),
    ("C_GetAttributeValue, 3 values", "attributes", "P-256", 2000, 0.5),
    ("P-256 signature", "sign", "P-256", 300, None),
    ("RSA-2048 signature", "sign", "RSA-2048", 100, None),
)
RUNS: Final = 7
QUICK_RUNS: Final = 1


def measure(quick: bool) -> Sequence[Figure]:
    """Ratios of medians over alternating runs."""
    figures = []
    with our_stage() as ours, peer_stage() as peer, Client(ours.environment) as our, Client(peer) as their:
        for what, task, key, count, goal in FLOWS:
            rates: dict[Client, list[float]] = {our: [], their: []}
            for _ in range(QUICK_RUNS if quick else RUNS):
                for client, so_far in rates.items():
                    so_far.append(count / sum(client.run(task, count, key)))
            mine, reference = median(rates[our]), median(rates[their])
            figures.append(
                Figure(
                    f"{what}: fobd / p11-kit server",
                    mine / reference,
                    "times",
                    None if goal is None else at_least(goal),
                    f"{mine:.0f} and {reference:.0f} calls/s",
                )
            )
    return figures


if __name__ == "__main__":
    run_bench(__doc__, measure)
