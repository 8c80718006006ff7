"""Steel boxes are given the owners' keys and the rules of a value kind, all of them the same ones (M8)."""

from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from fob_office.centre.boxes.folder import BoxFolder
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.steel import GiveKey, SetNewMeters
from fob_office.centre.founding.owners_keys import begin_in, make_gifts
from fob_office.centre.operating.operator import Operator
from fob_office.centre.operating.standing import standing_of
from fob_office.centre.places import KindSettings, load_centre, save_centre
from fob_office.errors import OperatorError


class Receivers(NamedTuple):
    """Steel boxes that are given new keys now, and those that did not answer and have only older ones."""

    names: tuple[str, ...]
    passed_over: tuple[str, ...] = ()


async def receivers(operator: Operator, what: str, *, is_one_more: bool) -> Receivers:
    """All but those that were tampered with, which make no meters any more.

    Where none answers, `is_one_more` box alone has the keys. Raises OperatorError: `what`, as some do not answer.
    """
    found = await standing_of(operator, Kind.STEEL)
    if is_one_more and not found.well:
        return Receivers((), found.silent)
    if not found.well:
        why = "no steel box is there that answers"
        raise OperatorError(what, why, "fob-office centre box add steel    (and then the same command)")
    if found.silent:
        why = f"{', '.join(found.silent)} does not answer, and would go on with older keys"
        command = f"fob-office centre box remove {found.silent[0]}    (where it does not come back)"
        raise OperatorError(what, why, command)
    return Receivers(found.well)


async def give_all(operator: Operator, folder: BoxFolder, shown: Pass, others: Receivers, keep: Path | None) -> None:
    """A new version of all keys, as nobody has the ones before; to the new box before it runs."""
    settings = load_centre(operator.centre)
    kinds = {name: replace(kind, version=kind.version + 1) for name, kind in settings.value_kinds.items()}
    save_centre(operator.centre, replace(settings, value_kinds=kinds))
    for name, kind in kinds.items():
        await give(operator, name, kind, others, [(folder, shown)], keep)


async def give(
    operator: Operator, name: str, kind: KindSettings, running: Receivers, new: list[tuple[BoxFolder, Pass]],
    keep: Path | None,
) -> None:  # fmt: skip
    """Both keys and the rules: to those that run by the bus. Raises BusRefusedError, AwayError, OSError."""
    passes = [operator.links.directory.pass_of(box) for box in running.names]
    owners = {}
    for folder, shown in new:
        owners[shown.name] = begin_in(folder, name, kind)
    for box in passes:
        await operator.one(box.name, SetNewMeters(name, kind.freshness, kind.limits.octets(), kind.is_public))
    everybody = [*passes, *(shown for _, shown in new)]
    for gift in make_gifts(everybody, name, kind.version, operator.surroundings.random, keep):
        if gift.box in owners:
            owners[gift.box].give(gift.owner, gift.value_kind, gift.version, gift.sealed)
        else:
            await operator.one(gift.box, GiveKey(gift.owner, gift.value_kind, gift.version, gift.sealed))
