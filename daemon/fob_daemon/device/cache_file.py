"""The cache of one token on disk, as JSON: keys stay listed over a restart of the daemon."""

from pathlib import Path
from typing import Literal

import msgspec
import structlog

from fob_daemon.device.object_cache import ObjectCache
from fob_daemon.device.views import DeviceObject
from fob_daemon.files import write_durably
from fob_protocol.pkcs11.infos import MechanismInfo, TokenDescription

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds. Another `format` is another version's file."""

    format: Literal[2] = 2
    generation: int
    token: TokenDescription | None
    mechanisms: dict[int, MechanismInfo]
    objects: list[DeviceObject]


class CacheFile:
    """One file; it holds nothing secret, and a damaged one is an empty cache."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, cache: ObjectCache) -> None:
        """Fill an empty cache with what was stored."""
        try:
            stored = msgspec.json.decode(self._path.read_bytes(), type=Document)
        except FileNotFoundError:
            return
        except (OSError, ValueError, RecursionError) as error:
            _log.warning("device.cache_unreadable", path=str(self._path), error=str(error))
            return
        cache.generation, cache.token, cache.mechanisms = stored.generation, stored.token, stored.mechanisms
        cache.objects = {stored_object.device_handle: stored_object for stored_object in stored.objects}

    def save(self, document: Document) -> None:
        """Write what `snapshot` took; safe in a thread. A disk that refuses is logged: the cache is only a cache."""
        try:
            write_durably(self._path, msgspec.json.encode(document))
        except OSError as error:
            _log.warning("device.cache_not_written", path=str(self._path), error=str(error))


def snapshot(cache: ObjectCache) -> Document:
    """The cache as a document that later changes do not touch: objects are replaced there, never changed."""
    return Document(
        generation=cache.generation,
        token=cache.token,
        mechanisms=dict(cache.mechanisms),
        objects=list(cache.objects.values()),
    )
