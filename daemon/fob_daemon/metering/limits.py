"""Bounds of what this computer takes for its meters, each with its reason. Light: requests and commands import it."""

from typing import Final

from fob_protocol.metering.limits import POSTCODE_LIMIT

# Pieces of one batch: what one document of labels holds.
JOB_LIMIT: Final = 10_000
# Batches that are listed.
JOBS_LISTED: Final = 20
# A thousand kilograms are no letter.
GRAMS_LIMIT: Final = 1_000_000
# Of an origin or destination (`fob_protocol.metering.indicium.is_place`), for people.
PLACE_RULE: Final = f"1 to {POSTCODE_LIMIT} letters and digits, with blanks, dots and dashes between"
# The component of rates that comes with the office.
RATE_COMMAND: Final = "XRATE"
# Of a meter of which nobody has heard here what it counts.
UNITS: Final = "units"
# How a batch that was cut goes on.
RESUME: Final = "fob meter frank --resume"
# How it ends, where it cannot.
GIVE_UP: Final = "fob meter frank --give-up"
