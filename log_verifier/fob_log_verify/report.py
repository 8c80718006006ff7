"""What was found, for people and for programs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from fob_log_verify.checkpoints import Verdict
from fob_log_verify.findings import Finding
from fob_log_verify.recoveries import Recovery
from fob_log_verify.verification import Result
from fob_log_verify.warnings import Warned, Warnings

_ITS_OWN: Final = (
    "those that the log lists itself, which proves nothing about who wrote it "
    "(`fob-office centre log keys` prints what --key takes)"
)
# Nobody but who kept a checkpoint knows what stood there before.
_ALONE: Final = "nothing contradicts itself; no checkpoint was compared, which alone finds what was changed or cut off"


def as_text(result: Result) -> str:
    """A few lines for people."""
    return "\n".join(_lines(result))


def as_object(result: Result) -> dict[str, object]:
    """For JSON: the same."""
    return {
        "origin": result.origin,
        "size": result.size,
        "root": result.root.hex(),
        "transactions": result.transactions,
        "meters": result.meters,
        "scans": result.scans,
        "warnings": [_warned_object(warned) for warned in result.warnings.shown],
        "warnings_count": result.warnings.count,
        "recoveries": [_recovery_object(recovery) for recovery in result.recoveries.shown],
        "recoveries_count": result.recoveries.count,
        "keys": "its own" if result.trusts_itself else "given",
        "checkpoints": [_verdict_object(verdict) for verdict in result.verdicts],
        "kept": None if result.difference is None else _finding_object(result.difference),
        "findings": [_finding_object(finding) for finding in result.findings.shown],
        "findings_count": result.findings.count,
        "is_compared": result.is_compared,
        "is_well": result.is_well,
    }


def _lines(result: Result) -> Iterator[str]:
    yield f"log:         {_printable(result.origin)}"
    yield f"size:        {result.size} entries, {result.transactions} transactions of {result.meters} meters"
    yield f"root:        {result.root.hex()}"
    yield f"scans:       {result.scans} of pieces at the post"
    yield f"warnings:    {_warnings(result.warnings)}"
    if (newest := result.recoveries.newest) is not None:
        told = f"{result.recoveries.count} entries say that the database was put back, the newest {newest.place}"
        yield f"recoveries:  {told}{_time(newest.time)}: {_printable(newest.words)}"
    yield f"keys:        {_ITS_OWN if result.trusts_itself else 'those that were given'}"
    for verdict in result.verdicts:
        checkpoint = verdict.checkpoint
        yield f"checkpoint:  {_printable(str(checkpoint.path))}, {checkpoint.size} entries{_time(checkpoint.time)}"
        yield f"             {verdict.outcome}: {_printable(verdict.why)}{_where(verdict)}"
    if result.difference is not None:
        difference = result.difference
        yield f"kept log:    {difference.outcome} at entry {difference.place}: {difference.why}"
    for finding in result.findings.shown:
        yield f"entry {finding.place}:  {finding.outcome}: {_printable(finding.why)}"
    if (more := result.findings.count - len(result.findings.shown)) > 0:
        yield f"and {more} more"
    yield _verdict(result)


def _verdict(result: Result) -> str:
    if not result.is_well:
        return "something is wrong"
    return "all is well" if result.is_compared else _ALONE


def _warnings(warnings: Warnings) -> str:
    if warnings.newest is None:
        return "none"
    newest = warnings.newest
    said = _printable(" ".join(filter(None, (newest.word, newest.serial, newest.why))))
    return f"{warnings.count}, the newest{_time(newest.time)}: {said}"


def _time(seconds: int) -> str:
    """Also for times that no calendar has."""
    try:
        return f" on {datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return ""


def _where(verdict: Verdict) -> str:
    if verdict.place is not None:
        return f" (seen at entry {verdict.place})"
    if verdict.begin is not None and verdict.end is not None:
        return f" (from entry {verdict.begin} to {verdict.end - 1})"
    return ""


def _printable(text: str) -> str:
    """Names come from the log: nothing in them moves the cursor, and every terminal has them."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)


def _warned_object(warned: Warned) -> dict[str, object]:
    return {
        "place": warned.place,
        "id": warned.number,
        "word": warned.word,
        "serial": warned.serial,
        "why": warned.why,
        "time": warned.time,
    }


def _recovery_object(recovery: Recovery) -> dict[str, object]:
    return {
        "place": recovery.place,
        "kind": recovery.kind,
        "of": recovery.of,
        "before": recovery.before,
        "after": recovery.after,
        "time": recovery.time,
    }


def _finding_object(finding: Finding) -> dict[str, object]:
    return {"place": finding.place, "outcome": finding.outcome, "why": finding.why}


def _verdict_object(verdict: Verdict) -> dict[str, object]:
    return {
        "file": str(verdict.checkpoint.path),
        "size": verdict.checkpoint.size,
        "root": verdict.checkpoint.root.hex(),
        "time": verdict.checkpoint.time,
        "outcome": verdict.outcome,
        "why": verdict.why,
        "place": verdict.place,
        "begin": verdict.begin,
        "end": verdict.end,
    }
