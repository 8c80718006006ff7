"""How many come at the same time: some in a run, all of them in `make soak` (FOB_CROWDS=all)."""

import os


def crowd(some: int, all_of_them: int) -> int:
    """As many as in this run."""
    return all_of_them if os.environ.get("FOB_CROWDS") == "all" else some
