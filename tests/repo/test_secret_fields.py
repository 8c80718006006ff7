"""What holds a password, a PIN or a secret in the clear never shows it: a repr may stand in a log or a traceback."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_office.centre.boxes.authentication.mailers import _Asked

ROOT = Path(__file__).parents[2]
PROGRAMS = ("protocol/fob_protocol", "daemon/fob_daemon", "device_emulator/fob_device", "back_office/fob_office")
SECRET = {"password", "pin", "user_pin", "so_pin", "secret", "master_key"}
# Of what is sealed, there are types of their own; of seconds, numbers.
IN_THE_CLEAR = {"str", "bytes", "str | None", "bytes | None"}


def shown(source: str) -> Iterator[str]:
    """`Class.field` of those that a generated repr shows."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef):
            continue
        if any(isinstance(each, ast.FunctionDef) and each.name == "__repr__" for each in node.body):
            continue
        if not node.decorator_list and not any(ast.unparse(base).endswith(("Tuple", "Struct")) for base in node.bases):
            continue
        for each in node.body:
            if isinstance(each, ast.AnnAssign) and _is_shown(each):
                yield f"{node.name}.{ast.unparse(each.target)}"


def _is_shown(field: ast.AnnAssign) -> bool:
    is_secret = ast.unparse(field.target) in SECRET and ast.unparse(field.annotation) in IN_THE_CLEAR
    return is_secret and (field.value is None or "repr=False" not in ast.unparse(field.value))


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_repr_shows_a_secret(program: str) -> None:
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / program).rglob("*.py")
        for name in shown(path.read_text(encoding="utf-8"))
    }
    assert wrong == set()


def test_what_shows_a_secret_is_found() -> None:
    clear = "class A(NamedTuple):\n    password: str\n@dataclass\nclass B:\n    pin: bytes | None = None\n"
    kept = "@dataclass\nclass C:\n    pin: bytes = field(repr=False)\nclass D(Struct):\n    secret: bytes\n"
    assert list(shown(clear + kept)) == ["A.password", "B.pin", "D.secret"]
    assert list(shown(kept + "    def __repr__(self): ...\n")) == []


def test_a_mailer_s_password_is_not_shown() -> None:
    asked = _Asked(None, bytes(32), "ann", "a horse with a stamp", 0)  # type: ignore[arg-type]  # no order is needed
    assert "ann" in repr(asked)
    assert "horse" not in repr(asked)
