"""A question in words: for the screen, for the PC's narration, for lists of what was allowed."""

from typing import Final

from fob_protocol.at.values import encode_string
from fob_protocol.caller import Caller
from fob_protocol.deeds import FORWARDED, asker, deed
from fob_protocol.names import ELLIPSIS, plain_name

# Octets of a question's words in an event, which goes in one frame (FRAME_LIMIT).
WORDS_SIZE: Final = 512


def words_of(operation: str, key_label: str, pc_name: str, caller: Caller, count: int) -> str:
    """`log in to github.com with 'work' for ssh <- zsh on me@pc`; every character is plain."""
    return for_whom(f"{deed(operation, caller)} with '{plain_name(key_label)}'", pc_name, caller, count)


def for_whom(what: str, pc_name: str, caller: Caller, count: int) -> str:
    """What is done, in plain words, and who asks for it."""
    forwarded = FORWARDED if caller.is_forwarded else ""
    times = f", {count} times" if count > 1 else ""
    return f"{what} for {asker(caller, plain_name(pc_name))}{forwarded}{times}"


def fitting(text: str, octets: int) -> str:
    """`text`, its end left out where it takes more than `octets` as an AT string."""
    if len(encode_string(text)) <= octets:
        return text
    end = len(text)
    while len(encode_string(text[:end] + ELLIPSIS)) > octets:
        end -= 1
    return text[:end] + ELLIPSIS
