"""Bounds of the office protocol, each with its reason. Sizes in octets, times in seconds."""

from typing import Final

# A question to the office: the longest is a configuration request with its catalogue.
QUESTION_LIMIT: Final = 16_384
# An answer: the longest holds a manifest and the releases of a whole set; it crosses the line in one text.
ANSWER_LIMIT: Final = 61_440

# Of whatever is counted: the whole numbers that every program and database holds.
COUNT_LIMIT: Final = (1 << 53) - 1

# Names that people read, and names that programs know things by.
TITLE_LIMIT: Final = 64
ID_LIMIT: Final = 32
FIELD_LIMIT: Final = 256
# Characters of why something was refused: half a line of a terminal, twice.
REFUSAL_LIMIT: Final = 80
FIELDS_LIMIT: Final = 16
# Where an application is reached.
PATH_LIMIT: Final = 256

# Components of one set; of each, what it leans on and where it runs.
COMPONENTS_LIMIT: Final = 32
DEPENDENCIES_LIMIT: Final = 16
HARDWARE_LIMIT: Final = 16
COMMANDS_LIMIT: Final = 8
CONTENT_LIMIT: Final = 1 << 20
# All components of a set; the digests of their chunks are half of an answer.
SET_LIMIT: Final = 8 << 20
# A bundle: the largest content, sealed, with the longest release, which has a digest for each of 129 chunks.
BUNDLE_LIMIT: Final = CONTENT_LIMIT + 16_384
# A chunk crosses 115,200 baud in a second.
CHUNK_SIZE: Final = 8192
# A step of the security counter: so no forged or mistaken one uses it up.
COUNTER_STEP: Final = 1000
# Enough for a power cut or two in a row, few enough that nobody waits long for the old set.
BOOT_TRIES: Final = 3

# A person may need a day to come back to a device that lost its reply.
CONFIRM_TIME: Final = 86_400
CHALLENGE_TIME: Final = 300
TICKET_TIME: Final = 86_400
SESSION_TIME: Final = 900
SESSION_MESSAGES: Final = 1000
PROOFS_LIMIT: Final = 3
PROOF_LOCK: Final = 60
ENTITLEMENTS_LIMIT: Final = 64
COMPUTERS_LIMIT: Final = 16
# What an application at the gateway is sent, and says.
BODY_LIMIT: Final = 8192
# Reports of a group before the share of failed ones says anything.
ROLLOUT_SAMPLE: Final = 10
