"""docs/first-five-minutes.md, done as it stands there: its commands in a shell, and a person at the phone's screen."""

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page, expect

from screen.terminal import CommandFailedError, Terminal
from support.chromium import chromium, opened_page
from support.required import check_program

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = ROOT / "docs/first-five-minutes.md"
PROGRAMS: Final = ("chromium", "git", "openssl", "pkcs11-tool", "ssh")

USER_PIN, SO_PIN = "271828", "31415926"
# The one place in the document that is the machine's; here each run has its own.
LINE: Final = "/tmp/phone"
COMMIT: Final = "git commit --allow-empty -m 'Dear Bob'"
# A person takes longer to get here than fobd to its sockets.
DAEMON_LISTENS: Final = 'until [ -S "$XDG_RUNTIME_DIR/fob/control.sock" ]; do sleep 0.05; done'

# Root's module file would be the machine's; what is installed already stays as it is.
RC: Final = """
make() { command make --old-file=.venv/.setup-done "$@"; }
if [ "$(id -u)" = 0 ]; then
    fob() { if [ "$*" = setup ]; then command fob setup --without p11-kit; else command fob "$@"; fi; }
fi
"""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document: its heading, the lines of its shell blocks, and what it shows of their output."""

    heading: str
    commands: tuple[str, ...]
    shown: tuple[str, ...]


def sections(text: str) -> Iterator[Section]:
    """Those that have something to do, in order."""
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        blocks = re.findall(r"^```(\w*)\n(.*?)^```$", body, flags=re.MULTILINE | re.DOTALL)
        lines = [(kind, line) for kind, block in blocks for line in block.splitlines() if line.strip()]
        yield Section(
            heading,
            tuple(line for kind, line in lines if kind == "sh"),
            tuple(line for kind, line in lines if not kind),
        )


def test_every_block_of_the_document_is_understood() -> None:
    text = DOCUMENT.read_text()
    found = list(sections(text))
    assert all(section.commands for section in found)
    assert text.count("```") == 2 * sum(1 + bool(section.shown) for section in found)
    linked = re.findall(r"\]\(#([a-z-]+)\)", text)
    assert {re.sub(r"[^a-z ]", "", s.heading.lower()).replace(" ", "-") for s in found} == set(linked)


@dataclass(slots=True)
class Person:
    """Reads the terminal and the phone's page, types and taps. `asked`: what the phone asked, by the sheets' names."""

    page: Page
    terminal: Terminal
    place: Path
    asked: list[str] = field(default_factory=list)

    async def do(self, section: Section) -> str:
        """The commands of a section, and what the phone wants for them; their output."""
        said = ""
        for command in section.commands:
            said += await self.run(command)
        return said

    async def run(self, command: str, tap: str = "Allow for 1 hour") -> str:
        """One command; `tap` is the answer to a question that it makes the phone ask. Raises CommandFailedError."""
        tapping = asyncio.create_task(self._tap(tap))
        try:
            return await self.terminal.run(command.replace(LINE, str(self.place / "line")), self.answer)
        finally:
            tapping.cancel()
            await asyncio.gather(tapping, return_exceptions=True)

    async def answer(self, question: str) -> str:
        """What is typed at the terminal."""
        if "same code" in question:
            await self._compare()
        if "[y/n]" in question:
            return "y"
        return SO_PIN if "SO PIN" in self.terminal.said else USER_PIN

    async def _tap(self, name: str) -> None:
        """Whenever a use of a key is asked about; Playwright's own patience does not count the time until then."""
        while True:
            button = self.page.get_by_role("button", name=name)
            await button.wait_for(timeout=0)
            self.asked.append(await self.page.get_by_role("dialog").get_by_role("heading").inner_text())
            await button.click()
            await expect(self.page.get_by_role("dialog")).to_have_count(0)

    async def _compare(self) -> None:
        sheet = self.page.get_by_role("dialog", name="Compare the codes")
        code = await sheet.get_by_role("group", name=re.compile("Code ")).inner_text()
        (shown,) = re.findall(r"│ +(\d{3}) +(\d{3}) +│", self.terminal.said)
        assert tuple(re.findall(r"\d{3}", code)) == shown
        await sheet.get_by_role("button", name="They are equal").click()

    async def open_the_phone(self) -> None:
        """Open the address that was printed, type the PIN, and open pairing."""
        address = await self.terminal.until(r"the screen is at (http://\S+)")
        await self.page.goto(address[1])
        await self.page.get_by_role("link", name="Unlock", exact=True).click()
        await self.page.get_by_role("textbox", name="PIN").fill(USER_PIN)
        await self.page.keyboard.press("Enter")
        await self.page.get_by_role("link", name="Computers").click()
        await self.page.get_by_role("button", name=re.compile("Open pairing")).click()
        await expect(self.page.get_by_role("button", name="Close pairing")).to_be_visible()


@pytest.fixture
def place() -> Iterator[Path]:
    """A short one, for the paths of sockets: a new user's home, and a clone of what is tested."""
    with tempfile.TemporaryDirectory(prefix="fob-") as folder:
        home, clone = Path(folder, "home"), Path(folder, "clone")
        for made in (home, home / "run", clone):
            made.mkdir(mode=0o700)
        (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
        for entry in ROOT.iterdir():
            if entry.name not in (".git", ".venv"):
                (clone / entry.name).symlink_to(entry)
        (clone / ".venv").symlink_to(sys.prefix)
        yield Path(folder)


def environment(place: Path) -> dict[str, str]:
    """A new user's: nothing of who runs the test."""
    home = place / "home"
    return {
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "SHELL": "/bin/bash",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "LANG": "C.UTF-8",
        "PAGER": "cat",
        "GIT_CONFIG_NOSYSTEM": "1",
        "TMPDIR": str(place),
    }


@asynccontextmanager
async def started(place: Path) -> AsyncIterator[Person]:
    """Somebody with a terminal and a whole browser."""
    for name in PROGRAMS:
        check_program(name)
    async with (
        chromium("chromium") as browser,
        opened_page(browser) as page,
        Terminal.opened(environment(place), place / "clone", RC) as terminal,
    ):
        yield Person(page, terminal, place)


def files(home: Path) -> dict[str, bytes]:
    """What programs read, but for what the phone and the daemon keep for themselves."""
    own = (home / "phone", home / "run", home / ".local", home / "letter")
    found = (path for path in home.rglob("*") if path.is_file() and not any(map(path.is_relative_to, own)))
    return {str(path.relative_to(home)): path.read_bytes() for path in found}


def plain(words: str) -> str:
    """Without what is another one each time, and without what is typed."""
    return re.sub(r"(\[y/n\]: )y", r"\1", re.sub(r"[0-9a-f]{16}|\d{3}", "#", words))


@pytest.mark.parametrize("command", ["fob-devise init", "fob log --verfy", "fob approvals lst", "git comit"])
@pytest.mark.asyncio(loop_scope="session")
async def test_a_command_that_is_wrong_does_not_pass(place: Path, command: str) -> None:
    async with Terminal.opened(environment(place), place / "clone", RC) as terminal:
        await terminal.run('export PATH="$PWD/.venv/bin:$PATH"')
        with pytest.raises(CommandFailedError, match=re.escape(command)):
            await terminal.run(command)


@pytest.mark.slow
@pytest.mark.clause("P9")
@pytest.mark.asyncio(loop_scope="session")
async def test_the_document_is_true(place: Path) -> None:
    chapter = {section.heading: section for section in sections(DOCUMENT.read_text())}
    async with started(place) as person:
        said = await person.do(chapter.pop("See it work"))
        assert [name for name in ("pkcs11-tool", "openssl", "ssh") if name not in said] == []

        await person.do(chapter.pop("A phone of your own"))
        await person.open_the_phone()
        await person.run(DAEMON_LISTENS)

        pair = chapter.pop("Pair")
        said = plain(await person.do(pair))
        assert [line for line in pair.shown if plain(line) not in said] == []

        before = files(place / "home")
        said = await person.do(chapter.pop("Programs find it"))
        assert said.count("[y/n]") == 1
        assert files(place / "home") != before

        said = await person.do(chapter.pop("A key for ssh"))
        assert re.search(r"^ssh-ed25519 \S+ work$", said, re.MULTILINE)
        assert person.asked == []

        said = await person.do(chapter.pop("Sign commits"))
        assert 'Good "git" signature for ada@example.org' in said
        await person.run(COMMIT)
        assert person.asked == ["Sign a git commit"], "and the next one asks nothing"

        said = await person.do(chapter.pop("Look back, and take back"))
        assert "sign for git" in said
        assert re.search(r"^verified \d+ entries", said, re.MULTILINE)
        assert re.search(r"^1 .* sign a git commit with 'work' for ssh-keygen <- git <- bash", said, re.MULTILINE)
        with pytest.raises(CommandFailedError, match="agent refused"):
            await person.run(COMMIT, tap="Deny")
        assert person.asked == 2 * ["Sign a git commit"]

        await person.do(chapter.pop("Leave no trace"))
        assert files(place / "home") == before
        await expect(person.page.get_by_text("No computer is paired.")).to_be_visible()
    assert not chapter, "what else stands there is not done"
