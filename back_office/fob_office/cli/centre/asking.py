"""How a command asks a data centre that runs."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from fob_office.centre.operating.operator import Operator, run_operator
from fob_office.centre.places import centre_folder
from fob_office.cli.context import Cli
from fob_office.secrets.private_file import owner_alone

ResultT = TypeVar("ResultT")


def ask(cli: Cli, state: Path, what: str, work: Callable[[Operator], Coroutine[Any, Any, ResultT]]) -> ResultT:
    """What the work gives; `what` is not done where the data centre refuses. Raises OperatorError."""
    with owner_alone():
        return run_operator(centre_folder(state), cli.surroundings, what, work)
