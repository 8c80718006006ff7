"""Every bound of the database server, with its reason. Sizes in octets, times in seconds."""

from typing import Final

# What is waiting is stored in one database transaction: with so many its statements cost next to nothing for each.
GROUP_LIMIT: Final = 256
# What waits for the database in one process: whoever comes after that is told `unavailable` and comes again.
WAITING_LIMIT: Final = 4096
# Connections to PostgreSQL that look up; one writes, as in SQLite: a second one only makes the groups smaller.
READERS: Final = 2

# A request that comes again is answered for longer than a device keeps it (a year and a month).
JOURNAL_TIME: Final = 400 * 24 * 3600
# Of the journal at a time, and the pause between two times: 5,000 a second, and no commit waits long.
ERASED_AT_ONCE: Final = 256
ERASE_PAUSE: Final = 60.0
ERASE_SOON: Final = 0.05

# A checkpoint costs a box a signature and whoever checks a proof: one a second, or for so many entries.
CHECKPOINT_PAUSE: Final = 1.0
CHECKPOINT_ENTRIES: Final = 256
# For a box that signs nothing else at the time.
CHECKPOINT_TIME: Final = 5.0
# When no box gave one.
CHECKPOINT_TRY_AGAIN: Final = 5.0

# So that what was done goes back in one frame with both records.
ANSWER_LIMIT: Final = 52_000
# A transaction of 64 indicia has 22,000.
TRANSACTION_LIMIT: Final = 32_768
RECEIPT_LIMIT: Final = 512
# Of entries, or records, in one answer: it fits a frame with all that is around them.
PAGE_LIMIT: Final = 48_000
PAGE_ROWS: Final = 256
# Entries among which orders are looked for at once, by their kind alone: some milliseconds.
NOTES_SPAN: Final = 16_384
# With transaction and meter record each, of RECORD_LIMIT at most; they have some 600 each.
PAYOUTS_PAGE: Final = 10
PAYOUT_LIMIT: Final = 4_800
# Of rows that are looked at once more, at a time: so many of the longest that are usual fit one answer.
KEYS_LIMIT: Final = 32
# A row: what is longer than an answer in the journal with all around it was written by somebody else.
ROW_LIMIT: Final = 56_000
# The word of a warning is one of the specification's.
WORD_LIMIT: Final = 32
SERIAL_LIMIT: Final = 64
# Entries of one transaction behind its own: the meter record, a user record, and the note of a gap.
GAP_REACH: Final = 3
