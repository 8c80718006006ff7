"""Bounds of the relay, each with its reason. Times in seconds, sizes in octets."""

from typing import Final

from fob_protocol.relay import RELAY_TIME

# A server that is there answers a knock at once.
CONNECT_TIME: Final = 10.0
# From the first octet of a question to the last one of its answer; what became of it reaches the device while the
# question is still this computer's.
ANSWER_TIME: Final = RELAY_TIME - 15.0

# A device that says to have one question after the other is one that fetches its components: 1,024 chunks make the
# largest set, and it may begin anew a few times. Behind these it has so many a second, which no set needs.
RELAY_BURST: Final = 4_096
RELAY_RATE: Final = 20.0
# After a question that was not answered: an office that is away is not knocked at without a break.
AFTER_FAILURE: Final = 1.0

# Progress, and that other components run, are told four times a second at most; a device says them once a second.
TELLING_PACE: Final = 0.25

# What Retry-After may say: a day, after which anybody would try again.
WAIT_LIMIT: Final = 86_400

# As many devices as have a question at the same time; the others wait within ANSWER_TIME.
CONNECTIONS: Final = 16
# Shorter than offices keep theirs (uvicorn: 5), so that no question goes into a connection that is being closed.
KEEP_TIME: Final = 2.0
# Of an answer's head: an office's has a dozen short ones.
HEADER_LIMIT: Final = 4_096
