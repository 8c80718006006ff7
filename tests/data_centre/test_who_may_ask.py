"""Who may ask what is one table for each kind of process, and the text of each command says the same (M2)."""

import inspect
import re
from typing import Any

import pytest

from fob_office.centre.bus.answering import Table
from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.passes import Kind
from support.data_centre import DataCentre


def _said(command: type[Command[Any]]) -> set[Kind]:
    """Kinds stand in capitals."""
    return {Kind[word] for word in re.findall(r"[A-Z]+", inspect.getdoc(command) or "") if word in Kind.__members__}


def _others(table: Table) -> list[str]:
    return [command.__name__ for command, row in table.items() if _said(command) != row.kinds]


@pytest.mark.clause("M2")
async def test_each_command_says_which_kinds_of_process_may_ask_it(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        tables = {name: running._table for name, running in centre._servers.items()} | {"function": server.table()}
    assert {name: _others(table) for name, table in tables.items()} == {name: [] for name in tables}
