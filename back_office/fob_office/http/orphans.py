"""Workers end with the process that started them, however that one ended: nobody else would stop them."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.process import BaseProcess


def end_with_parent() -> None:
    """In a worker: from now on it stops, as it does at SIGTERM, when its parent is gone. In no worker: nothing."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_outlive, args=(parent,), daemon=True, name="parent").start()


def _outlive(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
