"""bumble's errors as bleak's."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from bleak.exc import BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode
from bumble.att import ATT_Error
from bumble.core import BaseBumbleError


@contextmanager
def bleak_errors() -> Iterator[None]:
    """Turn what bumble raises into BleakError.

    bumble cancels whoever waits when a connection ends; a cancellation that nobody asked this task for is that.
    """
    try:
        yield
    except ATT_Error as error:
        raise BleakGATTProtocolError(BleakGATTProtocolErrorCode(error.error_code)) from error
    except BaseBumbleError as error:
        raise BleakError(str(error) or type(error).__name__) from error
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise BleakError("the connection ended") from None
