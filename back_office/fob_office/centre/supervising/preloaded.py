"""What the server that processes are forked from has loaded; what is loaded here is not looked at again by any of them.

Nothing here opens a file, makes a key, or starts a thread.
"""

import gc

from fob_office.centre.boxes.process import loop_factory
from fob_office.main import main

# What multiprocessing makes sure of in each of them: the program.
__all__ = ["main"]

# uvloop, where it is installed.
loop_factory()
# Else the first collection of each process would write to, and so copy, all that they share.
gc.collect()
gc.freeze()
