"""Every bound of the protocol, with its reason (docs/protocol.md). Sizes in octets, times in seconds."""

# Command state: room for every command a person types, small enough for a phone's line buffer.
COMMAND_LINE_LIMIT = 512

# One part with its header, tag and CRC (467 + 7 + 16 + 2) and air for later kinds; a noisy line loses at most this.
FRAME_LIMIT = 700

# Half a second of a 9,600 baud line, so that a short request never waits longer than that behind a part; with all that
# is around it one value by radio, of two packets.
PART_SIZE = 467

# The largest certificate or data object (32 KiB) with its attributes, twice over.
TEXT_LIMIT = 65_536

# More values than any command has; a template has at most a few dozen attributes.
VALUES_LIMIT = 4_096

# Lines of an answer: one per object in a page.
LINES_LIMIT = 4_096

# The largest CK_ULONG, and its digits.
NUMBER_VALUE_LIMIT = (1 << 64) - 1
NUMBER_DIGITS_LIMIT = 20

# A 64-bit number never gets near this; the session ends first.
NUMBER_LIMIT = 1 << 63

# Numbers the device keeps answers for: enough for every application on a PC to have one request under way.
WINDOW = 64

# Unanswered requests that the device has not reported as WORKING: what it may run at once.
OUTSTANDING_LIMIT = 32

# Requests that wait for a person, and answers of such that the device keeps until RELEASE: as many as programs have
# connections to the daemon, 128 to the agent's socket and 128 to the provider's.
PARKED_LIMIT = 256

# What the texts of unanswered requests may come to, and the answers that are kept: sixty-four of the longest texts.
# Requests and answers of 256 signatures have a twentieth of it.
HELD_OCTETS = WINDOW * TEXT_LIMIT

# Four parts hide one round trip of a radio link without filling its buffers. All long texts share them.
PARTS_IN_FLIGHT = 4

# How long a part waits to be acknowledged with the next one: two that were sent together come closer to one another by
# every line on which a part crosses in that time, and on a slower one it is nothing beside the part.
ACKNOWLEDGED_AFTER = 0.01

# What the PC reckons with for each other answer that is still to come over a slow line: an RSA-2048 signature's frame.
TYPICAL_ANSWER = 300

# Long texts being put together at once, in each direction.
ASSEMBLIES_LIMIT = 8

# A question for each request that may wait for a person, in flight or parked, and thirty-two events of other names.
EVENTS_WAITING = PARKED_LIMIT + OUTSTANDING_LIMIT + 32

# A question's words and a computer's name. A slow line has so many unconfirmed events as cross in half a second, and
# always EVENTS_IN_FLIGHT: a line that loses some still has news.
TYPICAL_EVENT = 128
EVENTS_IN_FLIGHT = 4
EVENT_TRIES = 5
EVENT_RETRY_FIRST = 1.0

# Timers of the PC (section 3.5).
RETRY_AFTER = 0.25
RETRIES_BEFORE_LOST = 5
WORKING_POLL = 1.0

# What polls may take of a line: three quarters are for whoever needs no person. A FETCH's or WORKING's frame.
POLL_SHARE = 1 / 4
POLL_OCTETS = 25

# A line on which octets wait for longer than this, in seconds, is busy: polls and CANCELs come later. So a request
# that comes now waits no longer for them, however many they are.
BUSY = 0.25

# A request asked for so often without news has been forgotten by the device: begin a new session.
TRIES_LIMIT = 40
KEEPALIVE = 30.0

# The device reports a request that takes longer than this, so that the PC stops asking again.
WORKING_AFTER = 0.1

HANDSHAKE_TRIES = 5
PAIRING_TIME = 120.0
PAIRING_RETRY = 1.0
PAIRING_TRIES = 5
PAIRING_CLOSED_FOR = 60.0

# How long a question stays on the device's screen; the PC's own deadline withdraws it earlier.
QUESTION_TIME = 60.0

# Names that one side shows to the other's person.
NAME_LIMIT = 64

# CKA_LABEL and CKA_ID in octets: a label has to fit a question on the phone's screen, an id any digest.
LABEL_LIMIT = 255
ID_LIMIT = 255
