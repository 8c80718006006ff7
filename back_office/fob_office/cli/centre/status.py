"""`fob-office centre status`."""

from functools import partial
from pathlib import Path
from typing import Final

import click

from fob_office.centre.bus.errors import AwayError, BusRefusedError, DirectoryError, PassError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.communication import Count
from fob_office.centre.commands.database import FetchWarnings
from fob_office.centre.limits import SLOTS
from fob_office.centre.operating.certificates import trouble_of
from fob_office.centre.operating.log import newest_checkpoint
from fob_office.centre.operating.operator import Operator
from fob_office.centre.operating.payouts import payouts_waiting
from fob_office.centre.operating.taken import taken_waiting
from fob_office.centre.places import centre_folder, load_centre
from fob_office.centre.rising import check_rising
from fob_office.centre.supervising.renewing import ends_first
from fob_office.centre.supervising.status import status_now
from fob_office.centre.troubles import no_view_of, put_back_of, tampered_of
from fob_office.cli.centre.asking import ask
from fob_office.cli.context import Cli, json_option, moment, pass_cli, state_option
from fob_office.errors import OperatorError
from fob_protocol.cose.errors import CoseError
from fob_protocol.office.errors import OfficeError

# What a process of the data centre that does not answer says for itself.
_AWAY: Final = (BusRefusedError, AwayError, DirectoryError, PassError, CoseError, OfficeError)
# What people read in the place of a name for scripts.
_WORDS: Final = {"checkpoint_size": "log entries"}
# And programs, in the place of what people read.
_KEYS: Final = {"tampered with": "tampered", "put back": "put_back", "no new view": "no_view"}
_COLUMNS: Final = ("name", "kind", "state", "pid", "restarts", "view", "slots")


@click.command()
@state_option
@json_option
@pass_cli
def status(cli: Cli, state: Path) -> None:
    """Processes and their states, the view, the log's newest checkpoint, warnings."""
    folder = centre_folder(state)
    settings = load_centre(folder)
    with cli.office(state) as office:
        due = trouble_of(office, folder)
    found = status_now(folder)
    if found is None:
        values: dict[str, object] = {
            "data centre": str(folder),
            "state": "stopped",
            "value kinds": list(settings.value_kinds),
        }
        values |= {"due": due} if due else {}
        cli.fields({name.replace(" ", "_"): value for name, value in values.items()} if cli.is_json else values)
        return
    due += found.due
    log = _asked(cli, state)
    troubles = {"tampered with": tampered_of(found), "put back": put_back_of(found), "no new view": no_view_of(found)}
    state_word = "ready" if found.is_ready else "not ready"
    rows = [{column: getattr(process, column) for column in _COLUMNS} for process in found.processes]
    if cli.is_json:
        known = {"data_centre": str(folder), "state": state_word, "view": found.view, "alone": found.alone, "due": due}
        known |= {_KEYS[name]: sentences for name, sentences in troubles.items()}
        cli.data(known | log | {"processes": rows})
        return
    alone = f"{found.alone} of {SLOTS} slots"
    shown: dict[str, object] = {
        "data centre": folder,
        "state": state_word,
        "view": found.view,
        "without a second": alone,
    }
    shown |= {"due": due} if due else {}
    shown |= {name: sentences for name, sentences in troubles.items() if sentences}
    shown |= payout_words(log) | payment_words(log)
    cli.fields(shown | {_WORDS.get(name, name): value for name, value in log.items() if value is not None})
    cli.line("")
    cli.table([{name: "" if value is None else value for name, value in row.items()} for row in rows])


def payout_words(log: dict[str, object]) -> dict[str, object]:
    """Money of mailers that did not go back yet, in words; these are no more in the rest."""
    count, since = log.pop("payouts_waiting", None), log.pop("oldest_payout", None)
    if not isinstance(count, int) or not count:
        return {}
    return {"payouts waiting": f"{count} (oldest since {moment(since)})" if isinstance(since, int) else str(count)}


def payment_words(log: dict[str, object]) -> dict[str, object]:
    """Money that did not come onto its meter yet, in words; it is no more in the rest."""
    match log.pop("payments_waiting", None):
        case [{"serial": serial, "time": int(since)}, *others]:
            more = f", and {len(others)} more" if others else ""
            return {"payments waiting": f"of meter {serial} since {moment(since)}{more}    (--json has all)"}
    return {}


def _asked(cli: Cli, state: Path) -> dict[str, object]:
    """What the supervisor knows is shown also to an operator whose own folder was changed."""
    try:
        return ask(cli, state, "the log is not known", _log)
    except OperatorError as error:
        return {"trouble": f"{error.what}: {error.why}"}


async def _log(operator: Operator) -> dict[str, object]:
    """As far as somebody answers. `time` is the checkpoint's; `until` the first of all passes is over."""
    found: dict[str, object] = {}
    try:
        found |= await _checkpoint(operator)
        found["warnings"] = await _warnings(operator)
        waiting = await payouts_waiting(partial(operator.any, Kind.DATABASE))
        found["payouts_waiting"], found["oldest_payout"] = waiting
        taken = await taken_waiting(partial(operator.any, Kind.PAYMENT))
        found["payments_waiting"] = [one._asdict() for one in taken]
        found["until"] = ends_first(operator.centre, operator.manufacturing)
        counted = await operator.any(Kind.COMMUNICATION, Count())
        found["questions"] = counted.questions
        found["unanswered"] = counted.unanswered
    except _AWAY as error:
        found["trouble"] = str(error)
    return found


async def _checkpoint(operator: Operator) -> dict[str, object]:
    """One that cannot be read is a trouble, and keeps nothing else from being shown. Raises BusRefusedError."""
    try:
        newest = await newest_checkpoint(operator)
    except (CoseError, OfficeError) as error:
        return {"trouble": f"the newest checkpoint of the log cannot be read ({error}): fob-office centre audit"}
    if newest is None:
        return {"checkpoint_size": None, "time": None}
    return {"checkpoint_size": newest[1].size, "time": newest[1].time}


async def _warnings(operator: Operator) -> int:
    """How many there are."""
    count, last = 0, 0
    while page := (await operator.any(Kind.DATABASE, FetchWarnings(last))).warnings:
        check_rising("warnings of the database", last, (one[0] for one in page))
        count += len(page)
        last = page[-1][0]
    return count
