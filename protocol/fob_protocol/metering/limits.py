"""Bounds of the meter protocol, each with its reason. Sizes in octets, times in seconds, amounts in the least unit."""

from typing import Final

# Pieces of one request: its question stays below QUESTION_LIMIT, its answer below ANSWER_LIMIT.
BATCH_LIMIT: Final = 64
# Rates that are asked for at once: each runs for a moment, and a device answers within a minute.
RATES_LIMIT: Final = 256
# Transaction records of one answer, of which the longest has a whole batch.
HISTORY_LIMIT: Final = 5
# Of one account: a mailer with more places has more accounts.
ORIGINS_LIMIT: Final = 8
POSTCODE_LIMIT: Final = 16
# Characters of the address that a digest is made of: more than any label has.
ADDRESS_LIMIT: Final = 512
# No sum of amounts leaves 53 bits, which every program's numbers have.
AMOUNT_LIMIT: Final = 1_000_000_000_000
LOGIN_NAME_LIMIT: Final = 64
PASSWORD_LEAST: Final = 12
PASSWORD_LIMIT: Final = 128
# Value kinds of a data centre: a device's screen and one answer to its computer hold so many.
KINDS_LIMIT: Final = 16
# Boxes of a kind that one answer names: authentication boxes in terms, transaction boxes with a meter.
BOXES_LIMIT: Final = 16

# The first so many octets of the code on a piece: 2^-128 for a guess.
TOKEN_SIZE: Final = 16
ACCOUNT_SIZE: Final = 16
TOKEN_LIMIT: Final = 64
INDICIUM_LIMIT: Final = 256

# From the mailer's request to its transaction: an approval, and a function server that was started again.
REQUEST_TIME: Final = 300
# From permission to transaction.
PERMISSION_TIME: Final = 60
# A clock of a device may be ahead by so much.
CLOCK_SKEW: Final = 60
# What is spent in a day is counted anew with each, in UTC.
DAY: Final = 86_400
# A record, a permission, a receipt, and what they are wrapped in.
RECORD_LIMIT: Final = 2048
