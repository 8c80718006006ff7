"""`fob-office`, whose supervisor starts again at once whatever was killed: the deaths of years go into minutes."""

import multiprocessing
from unittest import mock

from fob_office.main import main

# Seconds, for what the product waits up to half a minute for.
PAUSE = 0.3
# The office, and the supervisor that it starts. What that one starts imports this file too, and waits for nobody; so do
# tests, which only name it.
IMPATIENT = ("MainProcess", "centre")
PROGRAM = ("__main__", "__mp_main__")

if __name__ in PROGRAM and multiprocessing.current_process().name in IMPATIENT:
    mock.patch("fob_office.centre.supervising.pausing.LONGEST_START_PAUSE", PAUSE).start()

if __name__ == "__main__":
    main()
