"""What the processes of the data centre share: every bound on what one of them can ask of another, with its reason."""

from typing import Final

# Octets of one frame before it is sealed: what a Noise message holds (65,535), with room for what a batch adds.
FRAME_LIMIT: Final = 60_000
# Questions of one connection that have no answer yet: a few hundred hide every round trip within a data centre, and
# what waits for one peer stays at 15 megabytes.
IN_HAND: Final = 256
# Seconds for a handshake: two curve operations each way, on a machine that is very busy.
HANDSHAKE_TIME: Final = 5.0
# Octets of a handshake message: a pass and the keys around it have about 400.
HANDSHAKE_LIMIT: Final = 2048
# Connections that one process answers: each process of a large centre has one to each other.
CONNECTIONS: Final = 1024
# Octets that wait to be written to one peer before no more is read of it.
WRITE_LIMIT: Final = 1 << 20
# Seconds for an answer, where the asker does not say.
ANSWER_TIME: Final = 10.0
# Seconds after which a connection is given up on which questions wait and nothing at all was heard: the other machine
# may have lost its power, and nobody says so.
SILENCE: Final = 10.0
# Seconds before a process that could not be reached is tried again: doubled each time, up to the second.
FIRST_LINK_PAUSE: Final = 0.05
LONGEST_LINK_PAUSE: Final = 1.0
# Octets of the directory: 10,000 processes.
DIRECTORY_LIMIT: Final = 8 << 20
# Seconds that a process which ends waits until the others have taken what it has written.
CLOSE_TIME: Final = 1.0

# Seconds that a pass is good for: whoever is not renewed is out then.
PASS_TIME: Final = 366 * 24 * 3600
# Names that the manufacturing box admits: its state stays a file.
ADMITTED_LIMIT: Final = 10_000

# Characters of a warning: it is a sentence, with the command that helps.
WARNING_LIMIT: Final = 512

# Meters are spread over so many slots, by the first octet of H(serial).
SLOTS: Final = 64

# Octets of one state file of a box: the manufacturing box's has a line for each process admitted.
BOX_FILE_LIMIT: Final = 8 << 20
# Rows of a box's store that are kept in memory: of the meters that are used just now, at about a kilobyte each.
STORE_CACHE: Final = 50_000
# Rows that wait for one commit: the disk's flush is shared, and the next ones do not wait for long.
COMMIT_GROUP_LIMIT: Final = 2048
