"""Bounds of what this computer takes for its meters, each with its reason. Light: requests and commands import it."""

from typing import Final

# Pieces of one batch: what one document of labels holds.
JOB_LIMIT: Final = 10_000
# A thousand kilograms are no letter.
GRAMS_LIMIT: Final = 1_000_000
# How a batch that was cut goes on.
RESUME: Final = "fob meter frank --resume"
