"""Whose signatures count: of the processes of a kind that stand in the directory."""

from collections.abc import Callable
from typing import TypeAlias

from fob_office.centre.bus.directory import Directory
from fob_office.centre.bus.errors import BusRefusedError, DirectoryError, PassError
from fob_office.centre.bus.passes import Kind, Trust
from fob_office.centre.words import Word
from fob_protocol.cose.headers import key_id

# The public key with this key id. Raises BusRefusedError TAMPERING, UNAVAILABLE.
Key: TypeAlias = Callable[[bytes], bytes]


class Signers:
    """Of one kind."""

    def __init__(self, directory: Directory, trust: Trust, kind: Kind) -> None:
        self._directory = directory
        self._trust = trust
        self._kind = kind

    def key(self, named: bytes) -> bytes:
        """The public key with this key id. Raises BusRefusedError TAMPERING, UNAVAILABLE without a directory."""
        try:
            entries = self._directory.of_kind(self._kind)
            for shown in (self._directory.pass_of(entry.name) for entry in entries):
                if shown.signing is not None and key_id(shown.signing) == named:
                    self._trust.check_time(shown)
                    return shown.signing
        except DirectoryError as error:
            raise BusRefusedError(Word.UNAVAILABLE, str(error)) from None
        except PassError as error:
            raise BusRefusedError(Word.TAMPERING, str(error)) from None
        raise BusRefusedError(Word.TAMPERING, f"signed by no process of kind {self._kind.word} of this data centre")
