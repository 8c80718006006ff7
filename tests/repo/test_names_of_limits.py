"""A bound that has a name in a `limits.py` of the data centre means one thing there: none of its parts has another."""

import ast
from collections import defaultdict
from pathlib import Path

CENTRE = Path(__file__).parents[2] / "back_office/fob_office/centre"


def defined(path: Path) -> dict[str, str]:
    """Public names of a module that are given a value there, not one that another module has."""
    nodes = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.AnnAssign)]
    found = {ast.unparse(node.target): ast.unparse(node.value) for node in nodes if node.value is not None}
    return {name: value for name, value in found.items() if name.isupper() and not name.startswith("_")}


def test_no_bound_of_the_data_centre_has_another_value_elsewhere() -> None:
    places: dict[str, set[str]] = defaultdict(set)
    limits: set[str] = set()
    for path in CENTRE.rglob("*.py"):
        names = defined(path)
        for name in names:
            places[name].add(str(path.relative_to(CENTRE)))
        limits |= names.keys() if path.name == "limits.py" else set()
    assert {"WARNING_LIMIT", "COMMIT_GROUP_LIMIT", "FIRST_START_PAUSE"} <= limits
    assert {name: sorted(places[name]) for name in limits if len(places[name]) > 1} == {}


def test_no_pause_and_no_skew_of_clocks_has_the_name_of_another() -> None:
    """Those of the meters' protocol besides, which all parts import."""
    protocol = CENTRE.parents[2] / "protocol/fob_protocol/metering/limits.py"
    named = [name for path in (*CENTRE.rglob("*.py"), protocol) for name in defined(path)]
    wanted = [name for name in named if name.endswith(("_PAUSE", "_SKEW", "_LIMIT"))]
    assert sorted({name for name in wanted if wanted.count(name) > 1}) == []
