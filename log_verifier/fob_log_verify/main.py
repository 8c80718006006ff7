"""`fob-log-verify LOG [CHECKPOINT...]`: exit status 0 all is well, 1 something was found, 2 it cannot be read."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, NoReturn

from fob_log_verify.checkpoints import read_checkpoint
from fob_log_verify.errors import UnreadableError
from fob_log_verify.log_file import LogFile
from fob_log_verify.progress import Progress
from fob_log_verify.report import as_object, as_text
from fob_log_verify.verification import Result, Witnessed, verify

_FOUND: Final = 1
_UNREADABLE: Final = 2
# As shells have it: 128 and the number of SIGINT.
_INTERRUPTED: Final = 130
_KEY_SIZE: Final = 32
_HELP: Final = "fob-log-verify --help"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as all else does."""

    def error(self, message: str) -> NoReturn:
        raise UnreadableError("fob-log-verify was called wrongly", message, _HELP)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    is_json = "--json" in (sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parser().parse_intermixed_args(arguments)
        result = _verified(options)
        _say(json.dumps(as_object(result), indent=2) if options.json else as_text(result))
    except UnreadableError as error:
        _say_error(error, is_json=is_json)
        return _UNREADABLE
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0 if result.is_well else _FOUND


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="fob-log-verify",
        description="Whether an exported log of meters is what its checkpoints say, and its records fit together.",
        epilog="A log is the file that `fob-office centre log export FILE` writes: parts, each with its length in 4 "
        "octets before it, of which the first is a head and the others are the entries (docs/meter-protocol.md, "
        "section 7). A checkpoint is what `fob-office centre log checkpoint FILE` writes and a witness keeps. "
        "Exit status: 0 all is well, 1 something was found, 2 it cannot be read.",
    )
    parser.add_argument("log", type=Path, metavar="LOG", help="as the office exported it")
    parser.add_argument(
        "checkpoints", type=Path, nargs="*", default=[], metavar="CHECKPOINT", help="files that somebody kept"
    )
    parser.add_argument(
        "--key",
        type=_key,
        action="append",
        default=[],
        metavar="HEX",
        help="public key of a transaction box (64 hexadecimal digits); once for each. "
        "`fob-office centre log keys` prints them. Without it the keys are those that the log lists itself, which "
        "proves nothing about who wrote it",
    )
    parser.add_argument(
        "--kept", type=Path, metavar="LOG", help="an earlier export that somebody kept: shows the place"
    )
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    return parser


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_SIZE:
        raise argparse.ArgumentTypeError("a key has 64 hexadecimal digits")
    return key


def _verified(options: argparse.Namespace) -> Result:
    checkpoints = [read_checkpoint(path) for path in options.checkpoints]
    with ExitStack() as files:
        log, size = _opened(options.log, files)
        kept = None if options.kept is None else _opened(options.kept, files)[0]
        progress = Progress(size, is_wanted=not options.json)
        files.callback(progress.end)
        return verify(log, Witnessed(checkpoints, options.key, kept), progress.tell)


def _opened(path: Path, files: ExitStack) -> tuple[LogFile, int]:
    """And its size, 0 for what has none."""
    try:
        file = files.enter_context(path.open("rb"))
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read", str(error.strerror), _HELP) from None
    return LogFile(path, file), os.fstat(file.fileno()).st_size


def _say(text: str) -> None:
    """Raises UnreadableError where the words cannot be written; a reader who has gone has seen enough."""
    try:
        print(text, flush=True)
    except OSError as error:
        # Python would try once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise UnreadableError("what was found could not be written", str(error.strerror), _HELP) from None


def _say_error(error: UnreadableError, *, is_json: bool) -> None:
    words = f"error: {error.what}\nwhy:   {error.why}\ntry:   {error.next_command}"
    if is_json:
        about = {"what": error.what, "why": error.why, "next": error.next_command, "exit_code": _UNREADABLE}
        words = json.dumps({"error": about})
    # Who does not listen has the exit status.
    with suppress(OSError):
        print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
