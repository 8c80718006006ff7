"""`fob-office centre box`: processes are added and removed."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from fob_office.centre.boxes.identity import MODULE
from fob_office.centre.boxes.pkcs11_vault import ModulePlace
from fob_office.centre.boxes.separation import held_by
from fob_office.centre.bus.passes import Kind
from fob_office.centre.limits import SLOTS
from fob_office.centre.operating import adding, removing
from fob_office.centre.operating.certificates import told_anew
from fob_office.centre.operating.operator import Operator, told
from fob_office.centre.operating.replacing_operator import replace_operator
from fob_office.centre.operating.spreading import spread
from fob_office.centre.operating.standing import whole_here
from fob_office.centre.places import centre_folder, load_centre
from fob_office.centre.supervising.lock import is_supervised
from fob_office.cli.centre.asking import ask
from fob_office.cli.centre.options import Module, module_of, module_options
from fob_office.cli.context import Cli, issuer_key_option, pass_cli, state_option
from fob_office.errors import OperatorError, UsageError
from fob_office.secrets.private_file import owner_alone

_KINDS: Final = {kind.word: kind for kind in adding.ADDED}


@click.group()
def box() -> None:
    """Boxes and servers of a data centre that runs; `centre status` lists them."""


@box.command()
@state_option
@issuer_key_option
@module_options
@click.option(
    "--keep-keys", type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the vendor's and the post's keys that a steel box begins.",
)  # fmt: skip
@click.argument("kind", type=click.Choice([*_KINDS, Kind.OPERATOR.word]))
@pass_cli
def add(
    cli: Cli, state: Path, issuer_key: Path | None, kind: str, keep_keys: Path | None, pkcs11: str | None,
    pkcs11_token: str | None, pkcs11_pin_file: Path | None,
) -> None:  # fmt: skip
    """One process more of this kind, on this machine. A new steel box begins new owners' keys of all value kinds.

    `operator`: another pass for who operates it, where that one's folder was changed, while nothing runs.
    """
    if kind == Kind.OPERATOR.word:
        _add_operator(cli, state)
        return
    if keep_keys is not None and _KINDS[kind] != Kind.STEEL:
        raise UsageError(f"no {kind} process was added", "--keep-keys is for steel", "the same without it")
    folder = centre_folder(state)
    module = _module(folder, _KINDS[kind], Module(pkcs11, pkcs11_token, pkcs11_pin_file))
    wanted = adding.Wanted(_KINDS[kind], module, keep_keys)
    if wanted.kind == Kind.FUNCTION and not _whole(folder, wanted.kind):
        added = _add_with_new_keys(cli, state, issuer_key, wanted)
    else:
        added = _add(cli, state, wanted)
    cli.say(f"added {added.name}")
    if added.replaced is not None:
        cli.say(f"removed {added.replaced}, whose tables it has")
    for name in added.passed_over:
        cli.say(f"warning: {name} does not answer, and has older keys")
        cli.say(f"next:  fob-office centre box remove {name}    (where it does not come back)")


def _add_operator(cli: Cli, state: Path) -> None:
    with told("no operator was added"), owner_alone():
        name = replace_operator(centre_folder(state), cli.surroundings)
    cli.say(f"added {name}, in the place of the one before")
    cli.say(f"next:  fob-office run --state {state}    (office and data centre)")


def _add(cli: Cli, state: Path, wanted: adding.Wanted) -> adding.Added:
    async def work(operator: Operator) -> adding.Added:
        return await adding.add_box(operator, wanted)

    return ask(cli, state, f"no {wanted.kind.word} process was added", work)


def _add_with_new_keys(cli: Cli, state: Path, issuer_key: Path | None, wanted: adding.Wanted) -> adding.Added:
    """The keys of the others are erased: devices are told of new ones."""
    with cli.issuing(state, issuer_key) as issuing, cli.office(state) as office:
        now = told_anew(office, issuing, load_centre(centre_folder(state)))
        added = _add(cli, state, replace(wanted, told=now))
        issuing.enter_elsewhere((now.certificate,))
    cli.say("the keys of metering are new ones, which devices ask the directory for")
    return added


def _whole(folder: Path, kind: Kind) -> list[str]:
    load_centre(folder)
    with told(f"no {kind.word} process was added"):
        return whole_here(folder, kind)


def _module(folder: Path, kind: Kind, said: Module) -> ModulePlace | None:
    """As it is said, and else as the data centre was made. Raises UsageError, OperatorError."""
    settings = load_centre(folder)
    if not held_by(kind) or said != Module(None, None, None):
        return said.place()
    module = module_of(settings)
    if module is None and any(folder.glob(f"*/{MODULE}")):
        raise UsageError(
            f"no {kind.word} process was added", "masters of others are in a PKCS#11 module, and it is not said which",
            "the same with --pkcs11 MODULE --pkcs11-token LABEL --pkcs11-pin-file FILE",
        )  # fmt: skip
    return module


@box.command()
@state_option
@module_options
@click.argument("name")
@pass_cli
def remove(
    cli: Cli, state: Path, name: str, pkcs11: str | None, pkcs11_token: str | None, pkcs11_pin_file: Path | None
) -> None:
    """For ever: it ends, and its keys are erased, also in a PKCS#11 token."""
    said = Module(pkcs11, pkcs11_token, pkcs11_pin_file).place()
    settings = load_centre(centre_folder(state))

    async def work(operator: Operator) -> removing.Left | None:
        return await removing.remove_box(operator, name, lambda: said or module_of(settings))

    left = ask(cli, state, f"{name} was not removed", work)
    cli.say(f"removed {name}")
    if left is not None:
        place = said or settings.module
        library, token = (place.library, place.token) if place is not None else ("MODULE", "LABEL")
        tool = f"pkcs11-tool --module {shlex.quote(library)} --token-label {shlex.quote(token)} --login"
        cli.say(f"warning: its masters are in the PKCS#11 token still: {left.why}")
        for label in left.labels:
            cli.say(f"next:  {tool} --delete-object --type secrkey --label '{label}'")


@box.command()
@state_option
@pass_cli
def balance(cli: Cli, state: Path) -> None:
    """Spread meters evenly over all meter boxes, now and not in five minutes; it goes on by itself."""
    folder = centre_folder(state)
    load_centre(folder)
    if not is_supervised(folder):
        why = f"the data centre in {folder} does not run"
        raise OperatorError("nothing was spread", why, f"fob-office centre run --state {state}")
    waits = spread(folder)
    if waits is not None and waits.alone:
        cli.say(f"{waits.alone} of {SLOTS} slots are on one disk: the rest begins when all are on two")
    cli.say("next:  fob-office centre status    (`slots` of meter boxes)")
