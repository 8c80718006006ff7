"""Figures side by side: each with its goal, as a table for people or as JSON."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

# What one step was like, by the names of its columns.
Row: TypeAlias = Mapping[str, float | str]


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


@dataclass
class Results:
    """`rows`: one for each step, with as many at once, of a load; `figures`: what they come to."""

    rows: list[Row] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)


def at_least(value: float) -> Goal:
    """A floor."""
    return Goal(">=", value)


def at_most(value: float) -> Goal:
    """A ceiling."""
    return Goal("<=", value)


def run_bench(words: str, measure: Callable[[bool], Sequence[Figure]]) -> None:
    """The command line of a bench: `measure(quick)`, and its figures printed."""
    run_load_bench(words, lambda quick: Results(figures=list(measure(quick))))


def run_load_bench(words: str, measure: Callable[[bool], Results]) -> None:
    """The same of a bench that has rows beside its figures."""
    parser = argparse.ArgumentParser(description=words)
    parser.add_argument("--quick", action="store_true", help="few repetitions: does it run, not how fast")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    results = measure(arguments.quick)
    figures = as_data(results.figures)
    if arguments.json:
        print(json.dumps({"rows": results.rows, "figures": figures} if results.rows else figures, indent=2))
        return
    if results.rows:
        names = list(results.rows[0])
        print(aligned([names, *([_shown(row[name]) for name in names] for row in results.rows)]), end="\n\n")
    print(as_table(results.figures))


def _shown(value: float | str) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


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
