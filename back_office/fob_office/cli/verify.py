"""`fob-office verify`: what is on a piece at the post, from a picture or as text (M26, M27)."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import click

from fob_office.centre.operating.operator import Operator
from fob_office.centre.postal.asking import Post
from fob_office.centre.postal.offline import Stranger
from fob_office.centre.postal.verifying import OnPiece, Outcome, Verdict, damaged, malformed
from fob_office.cli.centre.asking import ask
from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.cli.progress import progress
from fob_office.cli.values import octets
from fob_office.database.troubles import of_system
from fob_office.errors import USAGE, OperatorError, UsageError
from fob_protocol.cose.cbor import encode
from fob_protocol.metering.amounts import amount_words, is_amount
from fob_protocol.metering.frame import PREFIX, read_frame
from fob_protocol.metering.indicium import Indicium, addressee_digest, day_of, normalised
from fob_protocol.metering.limits import ADDRESS_LIMIT
from fob_protocol.metering.pictures import PictureError, Reading, picture_octets, read_picture
from fob_protocol.metering.values import Indicated
from fob_protocol.metering.verification import PublicKeys, read_keys
from fob_protocol.names import plain_name
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest

# Exit statuses beside 0, every piece is genuine, and USAGE, which is also for what could not be verified.
NOT_GENUINE: Final = 1

_NOT_VERIFIED: Final = "the pieces were not verified"
_HELP: Final = "fob-office verify --help"
_NO_DESTINATION: Final = f"--destination: a postal code has letters or digits, and at most {ADDRESS_LIMIT} characters"
_NO_AMOUNT: Final = "--amount: an amount is a number, with its unit or without: 2.85, EUR 2.85, 285 cent or 1.5 kwh"
_NO_INDICIUM: Final = f"it is no indicium: these begin with {PREFIX}"
_CUT: Final = "it is no whole indicium: where a picture of the code says the same, no meter made it"
_TEXT: Final = "text"
_DATE: Final = click.IntRange(1970_01_01, 9999_12_31)
_ELEMENTS: Final = tuple(name for name in Indicium.__struct_fields__ if name != "addressee")
_SHORT: Final = ("serial", "amount", "date", "destination")


class Verifies(Protocol):
    """Who judges."""

    async def verify(self, indicated: Indicated, on_piece: OnPiece, where: bytes = b"") -> Verdict:
        """Raises BusRefusedError."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One code, or that there is none where one ought to be: `where` is a picture's name or `text`.

    `digest`: H of the picture. `is_malformed`: it was read whole, and is no indicium.
    """

    where: str
    at: tuple[int, int] | None
    indicated: Indicated | None
    why: str = ""
    digest: bytes = b""
    is_malformed: bool = False

    @property
    def place(self) -> bytes:
        """Which code of which picture."""
        return encode([self.digest, list(self.at or ())])


@dataclass(frozen=True, slots=True)
class Unread:
    """A picture of which nobody knows what is on it."""

    where: str
    error: OperatorError


@click.command()
@state_option
@json_option
@click.option("--address", help="Whom the piece is addressed to, as it stands there.")
@click.option("--destination", metavar="CODE", help="The postal code on the piece.")
@click.option(
    "--amount", help="What stands beside the code, as one writes it for such a piece: 2.85, 285 cent, 1.5 kwh."
)
@click.option("--date", type=_DATE, metavar="YYYYMMDD", help="The date that stands beside the code.")
@click.option("--text", "texts", multiple=True, metavar="FOB1...", help="What a reader of Data Matrix codes gave.")
@click.option(
    "--pieces",
    type=click.IntRange(1),
    metavar="N",
    help="So many are in the pictures, all together: where others are found none is noted, and the status is 1.",
)
@click.option("--no-record", is_flag=True, help="Only look: it counts as no use of the piece.")
@click.option(
    "--run", metavar="NAME", help="Said again after it was cut off, the same pictures are answered as before."
)
@click.option("--offline", is_flag=True, help="Without a data centre, for tokens that are signatures: by --keys.")
@click.option("--keys", type=click.Path(path_type=Path, dir_okay=False), help="As `centre keys` wrote them.")
@click.option("--key", callback=octets(32), metavar="HEX", help="Of the manufacturing box that vouches for --keys.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@pass_cli
def verify(
    cli: Cli, /, state: Path, files: Sequence[Path], texts: Sequence[str], pieces: int | None, no_record: bool,
    run: str | None, offline: bool, keys: Path | None, key: bytes | None, **piece: Any,
) -> int:  # fmt: skip
    """Judge every indicium in pictures (PNG, JPEG) of pieces.

    A code that a scan shows badly may be overlooked: say with --pieces how many there are, and scan at 300 dpi.
    Exit status 0: all are genuine; 1: one is something else, or not all were found; 2: it could not be found out.
    """
    if not files and not texts:
        raise click.UsageError("name a picture, or give --text")
    if offline != (keys is not None) or (key is not None and not offline):
        raise click.UsageError("--offline goes with --keys FILE, and --key with both")
    if pieces is not None and not files:
        raise click.UsageError("--pieces counts those in pictures")
    if run is not None and not run.strip():
        # As a variable of a script that is not set: pieces of every such run would be one another's.
        raise UsageError(_NOT_VERIFIED, "--run: a name has to say which run it is, and this one is empty", _HELP)
    on_piece = _on_piece(**piece)
    stranger = Stranger(_public_keys(cli, keys, key)) if keys is not None else None
    seen, unread = _seen(cli, files, texts)
    miscounted = _miscounted(seen, pieces)

    async def work(operator: Operator) -> list[Verdict]:
        name = cli.surroundings.random(16) if run is None else run.encode()
        # Of a scan that is made anew no piece shall be one that was seen before.
        is_noted = not no_record and not miscounted
        return await _judge(Post(operator.peers, operator.now, is_noted=is_noted, run=name), seen, on_piece)

    verdicts = asyncio.run(_judge(stranger, seen, on_piece)) if stranger is not None else _asked(cli, state, work)
    _show(cli, seen, verdicts, unread)
    if miscounted:
        cli.say(miscounted)
    if unread:
        return USAGE
    return 0 if not miscounted and all(verdict.outcome is Outcome.GENUINE for verdict in verdicts) else NOT_GENUINE


def _on_piece(address: str | None, destination: str | None, amount: str | None, date: int | None) -> OnPiece:
    """Raises UsageError."""
    try:
        if address is not None:
            addressee_digest(address)
        if destination is not None:
            _check_destination(destination)
        if amount is not None and not is_amount(amount):
            raise ValueError(_NO_AMOUNT)
        if date is not None:
            day_of(date)
    except ValueError as error:
        raise UsageError(_NOT_VERIFIED, str(error), _HELP) from None
    return OnPiece(address, destination, amount, date)


def _check_destination(destination: str) -> None:
    """As it is compared: another spelling, or something else than a code, may stand on a piece. Raises ValueError."""
    try:
        normalised(destination)
    except ValueError:
        raise ValueError(_NO_DESTINATION) from None


def _public_keys(cli: Cli, file: Path, key: bytes | None) -> PublicKeys:
    """Raises OperatorError with USAGE for its status."""
    try:
        with file.open("rb") as opened:
            keys = read_keys(opened, cli.surroundings.clock(), key)
    except OSError as error:
        why, command = of_system(error)
        raise UsageError(_NOT_VERIFIED, why, command or f"ls -l {file}") from None
    except OfficeError as error:
        raise UsageError(_NOT_VERIFIED, f"{file}: {error.why}", "fob-office centre keys FILE") from None
    if key is None:
        cli.say(f"warning: nobody but the file says whose keys these are: --key {keys.manufacturing.hex()}")
    return keys


def _seen(cli: Cli, files: Sequence[Path], texts: Sequence[str]) -> tuple[list[Seen], list[Unread]]:
    """All codes; and the pictures that could not be read: what is wrong with them is told, and the others go on."""
    seen = [_of_text(text) for text in texts]
    unread = []
    with progress("Reading pictures", len(files)) as read:
        for file in files:
            try:
                seen += _of_picture(cli, file)
            except OperatorError as error:
                unread.append(Unread(_named(file), error))
            read(1)
    for one in unread:
        click.echo(one.error.lines, err=True)
    return seen, unread


def _miscounted(seen: Sequence[Seen], pieces: int | None) -> str:
    """In words; empty where as many codes are in the pictures as somebody said, or nobody did."""
    found = sum(one.at is not None for one in seen)
    if pieces is None or found == pieces:
        return ""
    if found < pieces:
        return f"{found} of {pieces} pieces found, and none noted as seen: scan them anew, upright and at 300 dpi"
    return f"{found} pieces found where {pieces} ought to be, and none noted as seen"


def _of_text(text: str) -> Seen:
    try:
        return Seen(_TEXT, None, read_frame(text.strip()))
    except OfficeError:
        # Nobody knows whether all of it came here.
        return Seen(_TEXT, None, None, _CUT if text.strip().startswith(PREFIX) else _NO_INDICIUM)


def _of_picture(cli: Cli, file: Path) -> list[Seen]:
    """Raises OperatorError."""
    name = _named(file)
    try:
        content = picture_octets(file)
        found = read_picture(content)
    except OSError as error:
        why, command = of_system(error)
        raise OperatorError(f"{name} was not read", why, command or f"ls -l {name}") from None
    except PictureError as error:
        raise OperatorError(f"{name} was not read", error.why, error.command) from None
    ours = []
    for one in found:
        if one.reading is Reading.FOREIGN:
            cli.say(f"{name}: the code at {one.x},{one.y} is somebody else's: {one.why}")
        else:
            is_malformed = one.reading is Reading.MALFORMED
            ours.append(Seen(name, (one.x, one.y), one.indicated, one.why, digest(content), is_malformed))
    return ours or [Seen(name, None, None, "no indicium is on this picture")]


def _named(file: Path) -> str:
    """Harmless on a terminal."""
    return plain_name(str(file), limit=len(str(file)))


async def _judge(judge: Verifies, seen: Sequence[Seen], on_piece: OnPiece) -> list[Verdict]:
    return [
        _unjudged(one) if one.indicated is None else await judge.verify(one.indicated, on_piece, one.place)
        for one in seen
    ]


def _unjudged(seen: Seen) -> Verdict:
    return malformed(seen.why) if seen.is_malformed else damaged(seen.why)


def _asked(cli: Cli, state: Path, work: Callable[[Operator], Coroutine[Any, Any, list[Verdict]]]) -> list[Verdict]:
    """Raises OperatorError with USAGE for its status."""
    try:
        return ask(cli, state, _NOT_VERIFIED, work)
    except OperatorError as error:
        error.exit_code = USAGE
        raise


def _show(cli: Cli, seen: Sequence[Seen], verdicts: Sequence[Verdict], unread: Sequence[Unread]) -> None:
    if not cli.is_json:
        cli.table([_row(one, verdict) for one, verdict in zip(seen, verdicts, strict=True)])
        return
    judged = [_told(one, verdict) for one, verdict in zip(seen, verdicts, strict=True)]
    # People have read of these already.
    cli.data(judged + [_told_unread(one) for one in unread])


def _row(seen: Seen, verdict: Verdict) -> dict[str, object]:
    """For people, what they look for on the piece."""
    at = "-" if seen.at is None else "{},{}".format(*seen.at)
    read = {name: "-" if verdict.indicium is None else _element(verdict, name) for name in _SHORT}
    if verdict.indicium is not None:
        read["amount"] = amount_words(verdict.indicium.value_kind, verdict.indicium.amount)
    judged = {"outcome": verdict.outcome.value, "clause": verdict.clause}
    return {"where": seen.where, "at": at, **judged, **read, "why": verdict.why}


def _told(seen: Seen, verdict: Verdict) -> dict[str, object]:
    """For scripts, all."""
    x, y = seen.at or (None, None)
    read = {name: _element(verdict, name) for name in _ELEMENTS}
    judged = {"outcome": verdict.outcome.value, "clause": verdict.clause, "why": verdict.why}
    return {"where": seen.where, "x": x, "y": y, **judged, **read}


def _told_unread(unread: Unread) -> dict[str, object]:
    """With what stands of every piece, and no outcome."""
    nothing = dict.fromkeys(("x", "y", "outcome", "clause"))
    why, following = unread.error.why, unread.error.command
    return {"where": unread.where, **nothing, "why": why, **dict.fromkeys(_ELEMENTS), "next": following}


def _element(verdict: Verdict, name: str) -> object:
    return getattr(verdict.indicium, name, None)
