"""How hypothesis searches here: the same cases in every run, no time limit per case on a busy machine."""

from hypothesis import settings

QUICK = settings(derandomize=True, deadline=None, max_examples=100, database=None)
