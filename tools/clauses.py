"""Show which tests prove which clause of the requirements, and the clauses that no test proves.

python tools/clauses.py [--json]
"""

import argparse
import io
import json
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Clause:
    """One requirement and the tests that carry its id; parametrised cases of one test count as one."""

    section: str
    id: str
    text: str
    tests: tuple[str, ...]


class Collector:
    """A pytest plugin that notes the tests of each clause instead of running them."""

    def __init__(self) -> None:
        self.tests: defaultdict[str, set[str]] = defaultdict(set)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            for marker in item.iter_markers("clause"):
                for clause in marker.args:
                    self.tests[clause].add(item.nodeid.partition("[")[0])


def collect() -> Collector:
    """Let pytest collect the tests; SystemExit with its own words when it cannot."""
    collector, said = Collector(), io.StringIO()
    arguments = [f"--rootdir={ROOT}", "--collect-only", "--quiet", str(ROOT / "tests")]
    with redirect_stdout(said):
        status = pytest.main(arguments, plugins=[collector])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        print(said.getvalue(), file=sys.stderr)
        raise SystemExit(int(status))
    return collector


def clauses(tests: dict[str, set[str]]) -> Iterator[Clause]:
    """Every clause of tests/clauses.toml in its order, with its tests."""
    for section in tomllib.loads((ROOT / "tests" / "clauses.toml").read_text(encoding="utf-8")).values():
        for clause, text in section["clauses"].items():
            yield Clause(section["title"], clause, text, tuple(sorted(tests.get(clause, ()))))


def as_table(found: Iterable[Clause]) -> str:
    """The clauses by section, the tests under each, and the gaps at the end."""
    lines: list[str] = []
    section, gaps, count = "", [], 0
    for clause in found:
        if clause.section != section:
            section = clause.section
            lines += ["", section]
        count += 1
        lines.append(f"  {clause.id:<5} {clause.text}")
        lines += [f"          {test}" for test in clause.tests] or ["          no test"]
        if not clause.tests:
            gaps.append(clause.id)
    lines += ["", f"{count - len(gaps)} of {count} clauses have tests.", f"Gaps: {' '.join(gaps) or 'none'}"]
    return "\n".join(lines).lstrip("\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Show which tests prove which clause, and the gaps.")
    parser.add_argument("--json", action="store_true", help="a list of {section, id, text, tests}")
    options = parser.parse_args()
    found = list(clauses(collect().tests))
    print(json.dumps([asdict(clause) for clause in found], indent=2) if options.json else as_table(found))


if __name__ == "__main__":
    main()
