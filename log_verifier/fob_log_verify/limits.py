"""Every bound of what is read, with its reason. Sizes in octets."""

from typing import Final

# A transaction record with a batch of 64 indicia is the longest entry, and has a third of this.
PART_LIMIT: Final = 60_016
# 181 are in use.
CHECKPOINT_LIMIT: Final = 512
KEYS_LIMIT: Final = 256
SIZE_LIMIT: Final = 1 << 48
# A signed transaction record: array, payload, indicia, one indicium. Headers and heads have fewer.
DEPTH_LIMIT: Final = 4
# SQLite's integers; no number of a log has more.
NUMBER_LIMIT: Final = (1 << 63) - 1
# Records of its meter by which a refill may be late: more than are made while one is asked for.
REFILL_DELAY: Final = 10_000
# Seconds for which a data centre keeps in mind what was asked under an id (400 days), and clocks that differ by a day.
ID_TIME: Final = 399 * 24 * 3600
# What stands in a report; the rest is counted.
FINDINGS_LIMIT: Final = 100
WARNINGS_LIMIT: Final = 1000
