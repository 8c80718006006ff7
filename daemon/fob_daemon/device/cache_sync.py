"""Keeps a cache at the device's generation, with no round trip when it is there already."""

import asyncio
from functools import partial
from typing import Final

from fob_daemon.device.background import Background
from fob_daemon.device.cache_file import CacheFile, snapshot
from fob_daemon.device.object_cache import OBJECTS_LIMIT, ObjectCache
from fob_daemon.device.remote_token import RemoteToken
from fob_daemon.device.views import Page
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.session.handshake import Greeting

# A page holds one object at least; a device that sends more pages than that never ends.
PAGES_LIMIT: Final = OBJECTS_LIMIT


class CacheSync:
    """One sync at a time; what is asked for meanwhile makes one more. The same for writing the file."""

    def __init__(self, remote: RemoteToken, cache: ObjectCache, file: CacheFile | None, background: Background) -> None:
        self._remote = remote
        self._cache = cache
        self._file = file
        self._background = background
        self._is_wanted = self._is_running = self._is_description_old = False
        self._is_unsaved = self._is_saving = False
        if file is not None:
            file.load(cache)
            cache.watch(self._save_later)

    def greet(self, greeting: Greeting) -> None:
        """A session began: its greeting says whether anything changed while the device was away.

        That may be the firmware and with it the mechanisms; within a session it is only ever the objects.
        """
        self._cache.set_flags(greeting.token_flags)
        if greeting.generation != self._cache.generation or self._cache.token is None:
            self._is_description_old = True
            self.request()

    def request(self) -> None:
        """Sync soon."""
        self._is_wanted = True
        if not self._is_running:
            self._is_running = True
            self._background.run("sync", self._run)

    async def _run(self) -> None:
        try:
            while self._is_wanted:
                self._is_wanted = False
                await self._sync_once()
        finally:
            self._is_running = False

    async def _sync_once(self) -> None:
        """Raises CkrError, unless somebody asked again meanwhile: a new session, say, after the one that it broke."""
        try:
            await self._sync()
        except CkrError:
            if not self._is_wanted:
                raise

    async def _sync(self) -> None:
        start = self._cache.generation
        pages = await self._pages(self._known())
        if self._is_description_old or pages[0].full:
            description = await self._remote.token_info(), await self._remote.mechanisms()
            self._cache.describe(*description)
            self._is_description_old = False
        moved = self._cache.generation != start
        self._cache.apply_sync(pages)
        if moved:
            # An answer's page came in between and may be newer than the last page.
            self.request()

    def _known(self) -> int:
        """From where to ask: from the start when the device is new to us, or went back to an earlier life."""
        greeting = self._remote.link.greeting
        if self._cache.token is None or (greeting is not None and greeting.generation < self._cache.generation):
            return 0
        return self._cache.generation

    async def _pages(self, known: int) -> list[Page]:
        pages: list[Page] = []
        while not pages or pages[-1].more:
            if len(pages) == PAGES_LIMIT or (len(pages) > 1 and pages[-1].generation <= pages[-2].generation):
                raise CkrError(Ckr.DEVICE_ERROR, "the device's pages do not end")
            pages.append(await self._remote.find_objects(pages[-1].generation if pages else known))
        return pages

    def _save_later(self) -> None:
        self._is_unsaved = True
        if self._file is not None and not self._is_saving:
            self._is_saving = True
            self._background.run("save cache", partial(self._save, self._file))

    async def _save(self, file: CacheFile) -> None:
        try:
            while self._is_unsaved:
                self._is_unsaved = False
                await asyncio.to_thread(file.save, snapshot(self._cache))
        finally:
            self._is_saving = False
