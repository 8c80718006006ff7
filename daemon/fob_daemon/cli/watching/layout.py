"""What is known, as lines for a terminal of a given size. No I/O in here."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from fob_daemon.cli.log import entry_words
from fob_daemon.cli.office_bar import bar, left_words
from fob_daemon.cli.output import Painted, Part, coloured
from fob_daemon.cli.watching.known import Known, Rate

Line = list[Part]

# Rows of what is allowed and of links, so that the last uses have room too.
MOST_ROWS: Final = 8
# Where a line was cut.
_CUT: Final = "…"
_UNKNOWN: Final = Painted("  not known: the daemon is not reached", "bright_black")
_PROGRAMS: Final = 2
_KILO: Final = 1000

# Of a link's row: its name and state, then its numbers. All fit 80.
_LINK_WIDTH: Final = 27
_COLUMNS: Final = (7, 9, 11, 8, 9, 9)
_LINK_NUMBERS: Final = ("trips/s", "sent/s", "received/s", "trips", "sent", "received")


def lines(known: Known, now: float, width: int, height: int, trouble: str = "") -> list[Line]:
    """`height` lines of `width` characters. `trouble`: why nothing newer is known."""
    above = [
        *_head(known, trouble),
        *_questions(known, now),
        *_links(known),
        *_tasks(known, now),
        *_allowed(known, now),
    ]
    room = height - len(above) - 2
    below = _uses(known, room, width) if room > 0 else []
    found = [*above, *below][:height]
    return [clipped(line, width) for line in found + [[]] * (height - len(found))]


def clipped(line: Sequence[Part], width: int) -> Line:
    """`width` characters: filled up with spaces, so it covers what stood there; one that is cut ends in its mark."""
    length = sum(len(part if isinstance(part, str) else part.text) for part in line)
    if length <= width:
        return [*line, " " * (width - length)]
    if width <= 0:
        return []
    return [*_first(line, width - len(_CUT)), _CUT]


def _first(line: Sequence[Part], width: int) -> Iterator[Part]:
    """The first `width` characters."""
    for part in line:
        text = part if isinstance(part, str) else part.text
        text = text[: max(width, 0)]
        width -= len(text)
        yield text if isinstance(part, str) else Painted(text, part.colour, part.bold)


def _head(known: Known, trouble: str) -> Iterator[Line]:
    status = known.status
    yield [
        Painted("fob monitor", bold=True),
        f"    fobd {status.get('version', '?')}, {len(status.get('clients', ()))} programs connected",
        Painted("    q or Ctrl-C ends", "bright_black"),
    ]
    if trouble:
        yield [Painted(trouble, "red")]
    if known.lost:
        yield [Painted(f"{known.lost} events were lost: this terminal was too slow for them", "yellow")]


def _questions(known: Known, now: float) -> Iterator[Line]:
    yield from _title("Look at your phone")
    if not known.is_reached:
        yield [_UNKNOWN]
        return
    asked = known.questions(now)
    if not asked:
        yield [Painted("  nothing waits for you", "bright_black")]
    for question in asked[:MOST_ROWS]:
        left = Painted(f"{_countdown(question.until - now):>7}", "yellow", bold=True)
        yield ["  ", left, f"  {question.device:<12}  ", Painted(question.words, bold=True)]
    yield from _rest(len(asked))


def _links(known: Known) -> Iterator[Line]:
    yield from _title("Links", " " * (_LINK_WIDTH - len("Links")) + _columns(_LINK_NUMBERS))
    if not known.devices:
        yield [Painted("  no device is paired", "bright_black") if known.is_reached else _UNKNOWN]
    for device in known.devices[:MOST_ROWS]:
        rate = known.rates.get(device["name"], Rate())
        now = (f"{rate.round_trips:.1f}", _octets(rate.bytes_sent), _octets(rate.bytes_received))
        since = (f"{device['round_trips']:,}", _octets(device["bytes_sent"]), _octets(device["bytes_received"]))
        name = f"  {device['name']:<12}  "
        room = " " * (_LINK_WIDTH - len(name) - len(device["state"]))
        yield [name, coloured(device["state"]), room, _columns((*now, *since))]
        yield from map(_line_of_device, device["lines"])
    yield from _rest(len(known.devices))


def _columns(cells: Sequence[str]) -> str:
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, _COLUMNS, strict=True))


def _line_of_device(line: dict[str, Any]) -> Line:
    why = f"  {line['why']}" if line["why"] else ""
    return ["    ", coloured(line["state"]), f"  {line['url']}{why}"]


def _tasks(known: Known, now: float) -> Iterator[Line]:
    tasks = known.tasks(now)
    if not tasks:
        return
    yield from _title("Back office")
    for task in tasks[:MOST_ROWS]:
        said = "  ".join(part for part in (task.words, left_words(task.time_left, now)) if part)
        yield [f"  {task.device:<12}  {bar(task.done, task.total)}  {said}  ", Painted(task.why, "red")]
    yield from _rest(len(tasks))


def _allowed(known: Known, now: float) -> Iterator[Line]:
    allowed = known.allowed(now)
    if not allowed:
        return
    yield from _title("Allowed without asking", "    to end it: fob approvals revoke NUMBER")
    for grant in allowed[:MOST_ROWS]:
        yield [f"  {_countdown(grant.until - now):>7}  {grant.device:<12}  {grant.number:>3}  {grant.words}"]
    yield from _rest(len(allowed))


def _uses(known: Known, room: int, width: int) -> list[Line]:
    newest = list(reversed(known.uses))[:room]
    if not newest:
        return []
    return [*_title("Last uses"), *(use_line(entry, width) for entry in newest)]


def use_line(entry: dict[str, Any], width: int) -> Line:
    """One entry of the log; the result and its time stay where the words find no room."""
    moment = time.strftime("%H:%M:%S", time.localtime(entry["time"]))
    programs = " <- ".join(entry["programs"][:_PROGRAMS])
    words = f"{entry_words(entry):<28}  {entry['key']:<14}  {entry['device']:<12}  "
    took = f"  {entry['milliseconds']:.0f} ms"
    what = f"  {moment}  {programs:<20}  {words}"
    room = width - len(entry["result"]) - len(took)
    if len(what) > room > len(_CUT):
        what = f"{what[: room - 2 * len(_CUT)]}{_CUT} "
    return [what, coloured(entry["result"]), took]


def _title(title: str, rest: str = "") -> Iterator[Line]:
    yield []
    yield [Painted(title, bold=True), Painted(rest, "bright_black")]


def _rest(count: int) -> Iterator[Line]:
    if count > MOST_ROWS:
        yield [Painted(f"  and {count - MOST_ROWS} more", "bright_black")]


def _countdown(seconds: float) -> str:
    """`0:59`, `7:59:59`; a second that has begun counts."""
    whole = max(int(seconds + 0.999), 0)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _octets(count: float) -> str:
    """`345 B`, `1.2 kB`, `34.5 MB`."""
    if count < _KILO:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= _KILO
        if count < _KILO:
            return f"{count:.1f} {unit}"
    return f"{count:.0f} GB"
