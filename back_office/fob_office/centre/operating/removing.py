"""A process less: it ends, and its keys are erased, where others of its kind go on."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final, NamedTuple

from msgspec.structs import replace

from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.folder import erase, open_folder, was_tampered_with
from fob_office.centre.boxes.identity import MODULE, module_in
from fob_office.centre.boxes.pkcs11_vault import ModulePlace, destroy_masters, label_of
from fob_office.centre.boxes.separation import held_by
from fob_office.centre.bus.directory import FILE as DIRECTORY
from fob_office.centre.bus.directory import Entry, read_entries, write_entries
from fob_office.centre.bus.passes import Kind
from fob_office.centre.next_step import STATUS
from fob_office.centre.operating.adding import ADDED
from fob_office.centre.operating.leaving_view import left_by
from fob_office.centre.operating.operator import Operator
from fob_office.centre.operating.restarting import changing_alone, pid_of, until
from fob_office.centre.operating.standing import standing_of
from fob_office.centre.operating.steel_knowing import put_back_among
from fob_office.centre.places import load_centre, save_centre
from fob_office.centre.view_file import ViewFile
from fob_office.errors import NotFoundError, OperatorError

_NOTHING: Final = "nothing was removed"


class Left(NamedTuple):
    """Masters that could not be destroyed in a PKCS#11 token: what they are called there, and why not."""

    labels: tuple[str, ...]
    why: str


async def remove_box(operator: Operator, name: str, module: Callable[[], ModulePlace | None]) -> Left | None:
    """It ends, and its keys are erased; what of them is left in a PKCS#11 token.

    `module` says where they are, for a box that cannot say it any more. Raises OperatorError, BusRefusedError,
    AwayError, OSError.
    """
    with changing_alone(operator.centre):
        entries = read_entries(operator.centre / DIRECTORY)
        entry = next((one for one in entries if one.name == name), None)
        if entry is None:
            raise NotFoundError(_NOTHING, f"there is no {name}", STATUS)
        if entry.kind not in ADDED:
            why = f"{name} stays for ever: what a {entry.kind.word} process knows, no other one does"
            raise OperatorError(_NOTHING, why, STATUS)
        if len([one for one in entries if one.kind == entry.kind]) == 1:
            add = f"fob-office centre box add {entry.kind.word}    (and then the same command)"
            raise OperatorError(_NOTHING, f"{name} is the only one of its kind", add)
        path = operator.centre / name
        if entry.kind != Kind.METER and not was_tampered_with(path):
            await _check_others(operator, entry)
        if entry.kind == Kind.TRANSACTION:
            _keep_log_key(operator, name)
        # Whoever answers for the meters of a meter box then has to be there, and to know all of them.
        async with left_by(operator, name) if entry.kind == Kind.METER else nullcontext():
            write_entries(operator.centre, [one for one in entries if one.name != name])
        await until(operator.centre, lambda: pid_of(operator.centre, name) is None, f"{name} does not end")
        if not path.is_dir():
            return None
        left = _destroy_masters(operator, entry, path, module)
        erase(path, "removed by an operator")
        return left


async def _check_others(operator: Operator, entry: Entry) -> None:
    """Raises OperatorError: nobody would do what it does."""
    others = await standing_of(operator, entry.kind, but=entry.name)
    if others.well:
        if entry.kind == Kind.STEEL:
            await _check_steel(operator, entry.name, others.well)
        return
    said = [f"{name} was tampered with" for name in others.tampered]
    said += [f"{name} does not answer" for name in others.silent]
    add = f"fob-office centre box add {entry.kind.word}    (and then the same command)"
    raise OperatorError(_NOTHING, f"no other {entry.kind.word} process runs: {', '.join(said)}", add)


async def _check_steel(operator: Operator, name: str, others: Sequence[str]) -> None:
    """Raises OperatorError: each of the others was put back, and would give serials or keys a second time."""
    views = ViewFile(operator.centre, operator.manufacturing)
    found = await put_back_among(operator, (name, *others), views)
    if not all(other in found for other in others):
        return
    put_back = others[0]
    why = f"{put_back} was put back to an older folder, and would go on alone: {found[put_back]}"
    remove = f"fob-office centre box remove {put_back}"
    raise OperatorError(_NOTHING, why, "fob-office centre box add steel" if name in found else remove)


def _keep_log_key(operator: Operator, name: str) -> None:
    settings = load_centre(operator.centre)
    key = operator.links.directory.pass_of(name).signing
    if key is not None and key.hex() not in settings.former_log_keys:
        save_centre(operator.centre, replace(settings, former_log_keys=(*settings.former_log_keys, key.hex())))


def _destroy_masters(
    operator: Operator, entry: Entry, path: Path, module: Callable[[], ModulePlace | None]
) -> Left | None:
    """Those in a PKCS#11 token. None: there is none left."""
    if not (path / MODULE).exists():
        return None
    purposes = sorted(held_by(entry.kind))
    try:
        place = _place(operator, entry, path) or module()
        if place is not None:
            destroy_masters(place, entry.name, purposes)
            return None
        why = "it cannot say any more which token that is"
    except OperatorError as error:
        why = f"{error.what}: {error.why}"
    return Left(tuple(label_of(entry.name, purpose) for purpose in purposes), why)


def _place(operator: Operator, entry: Entry, path: Path) -> ModulePlace | None:
    """As its own folder says. None: it was tampered with, perhaps found just now."""
    try:
        return module_in(open_folder(path, entry.name, operator.surroundings.random))
    except TamperedError:
        return None
