"""Runs the real `fob` against a control socket, while the server goes on in the test's event loop."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fob_daemon.cli.output import Part
from support.forking import Run, await_forked, can_fork

FOB = (sys.executable, "-m", "fob_daemon.cli.main")
# As root, as whom tests may run, fob writes the module file of the machine: here that is below HOME.
WITH_OWN_MODULES = """
import os
from fob_daemon import p11_kit
from fob_daemon.cli.main import main
p11_kit._SYSTEM_MODULES = os.environ["HOME"] + "/modules"
main()
"""


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> list[str]:
        """The three lines of the error, whatever was narrated before."""
        lines = self.err.splitlines()[-3:]
        assert [line[:7] for line in lines] == ["error: ", "why:   ", "try:   "], self.err
        return [line[7:] for line in lines]


@dataclass
class FobProgram:
    """`environment` is what the program sees beside PATH; HOME and the runtime folder are `folder`."""

    folder: Path
    control: Path
    environment: dict[str, str] = field(default_factory=dict)

    def variables(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder),
            "FOB_CONTROL_SOCKET": str(self.control),
            "TZ": "UTC",
            **self.environment,
        }

    async def start(self, *arguments: str, program: tuple[str, ...] = FOB) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *program, *arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=self.variables()
        )

    async def __call__(self, *arguments: str, stdin: str = "", program: tuple[str, ...] = FOB) -> Ended:
        """Run to the end. A plain run of `fob` comes out of one that has started already."""
        if program is FOB and can_fork(self.environment):
            code, printed, said = await await_forked(Run(arguments, self.variables(), Path.cwd(), stdin.encode()), 60)
            return Ended(code, printed.decode(), said.decode())
        process = await self.start(*arguments, program=program)
        async with asyncio.timeout(60):
            out, err = await process.communicate(stdin.encode())
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    async def mended(self) -> Ended:
        """`fob doctor --fix`, which touches nothing but `folder`."""
        return await self("-c", WITH_OWN_MODULES, "doctor", "--fix", "--yes", "--json", program=(sys.executable,))


def plain_lines(lines: list[list[Part]]) -> list[str]:
    """Lines of a screen without colours, and without the spaces behind them."""
    return ["".join(part if isinstance(part, str) else part.text for part in line).rstrip() for line in lines]
