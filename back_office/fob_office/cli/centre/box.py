"""`fob-office centre box`: processes are added and removed."""

from pathlib import Path
from typing import Final

import click

from fob_office.centre.operating import changing
from fob_office.centre.operating.operator import Operator
from fob_office.centre.places import centre_folder, load_centre
from fob_office.centre.supervising.lock import is_supervised
from fob_office.centre.supervising.wish import wish
from fob_office.cli.centre.asking import ask
from fob_office.cli.centre.options import Module, module_options
from fob_office.cli.context import Cli, pass_cli, state_option
from fob_office.errors import OperatorError

_KINDS: Final = {kind.word: kind for kind in changing.ADDED}


@click.group()
def box() -> None:
    """Boxes and servers of a data centre that runs; `centre status` lists them."""


@box.command()
@state_option
@module_options
@click.argument("kind", type=click.Choice(list(_KINDS)))
@pass_cli
def add(
    cli: Cli, state: Path, kind: str, pkcs11: str | None, pkcs11_token: str | None, pkcs11_pin_file: Path | None
) -> None:
    """One process more of this kind, on this machine. A new steel box begins new owners' keys of all value kinds."""
    module = Module(pkcs11, pkcs11_token, pkcs11_pin_file).place()

    async def work(operator: Operator) -> str:
        return await changing.add_box(operator, _KINDS[kind], module)

    name = ask(cli, state, f"no {kind} process was added", work)
    cli.say(f"added {name}")


@box.command()
@state_option
@click.argument("name")
@pass_cli
def remove(cli: Cli, state: Path, name: str) -> None:
    """For ever: it ends, and its keys are erased."""

    async def work(operator: Operator) -> None:
        await changing.remove_box(operator, name)

    ask(cli, state, f"{name} was not removed", work)
    cli.say(f"removed {name}")


@box.command()
@state_option
@pass_cli
def balance(cli: Cli, state: Path) -> None:
    """Spread meters evenly over all meter boxes, now and not in five minutes; nobody has to wait for it."""
    folder = centre_folder(state)
    load_centre(folder)
    if not is_supervised(folder):
        why = f"the data centre in {folder} does not run"
        raise OperatorError("nothing was spread", why, f"fob-office centre run --state {state}")
    wish(folder)
    cli.say("next:  fob-office centre status    (`slots` of meter boxes)")
