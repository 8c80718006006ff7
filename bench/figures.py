"""Figures side by side: each with its goal, as a table for people or as JSON."""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be: at least (`>=`) or at most (`<=`) a value."""

    relation: str
    value: float

    def is_met(self, measured: float) -> bool:
        """Whether a figure is good enough."""
        return measured >= self.value if self.relation == ">=" else measured <= self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement; `detail` says what it was computed from."""

    name: str
    measured: float
    unit: str
    goal: Goal | None = None
    detail: str = ""

    @property
    def verdict(self) -> str:
        """Met, missed, or nothing where there is no goal."""
        if self.goal is None:
            return ""
        return "met" if self.goal.is_met(self.measured) else "missed"


def at_least(value: float) -> Goal:
    """A floor."""
    return Goal(">=", value)


def at_most(value: float) -> Goal:
    """A ceiling."""
    return Goal("<=", value)


def run_bench(words: str, measure: Callable[[bool], Sequence[Figure]]) -> None:
    """The command line of a bench: `measure(quick)`, and its figures printed."""
    parser = argparse.ArgumentParser(description=words)
    parser.add_argument("--quick", action="store_true", help="few repetitions: does it run, not how fast")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    figures = measure(arguments.quick)
    print(json.dumps(as_data(figures), indent=2) if arguments.json else as_table(figures))


def as_data(figures: Sequence[Figure]) -> list[dict[str, object]]:
    """For JSON."""
    return [asdict(figure) | {"verdict": figure.verdict} for figure in figures]


def as_table(figures: Sequence[Figure]) -> str:
    """For people."""
    rows = [("figure", "measured", "goal", "", "from")]
    for figure in figures:
        goal = f"{figure.goal.relation} {figure.goal.value:g}" if figure.goal else ""
        rows.append((figure.name, f"{figure.measured:.4g} {figure.unit}", goal, figure.verdict, figure.detail))
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, the first one their names."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
