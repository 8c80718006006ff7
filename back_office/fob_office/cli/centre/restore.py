"""`fob-office centre restore`."""

from pathlib import Path

import click

from fob_office.centre.operating.backing_up import restore_centre
from fob_office.centre.operating.operator import told
from fob_office.centre.places import centre_folder
from fob_office.cli.context import Cli, pass_cli, state_option
from fob_office.database.troubles import of_system
from fob_office.errors import OperatorError
from fob_office.secrets.private_file import owner_alone

_NOT_RESTORED = "nothing was put back"


@click.command()
@state_option
@click.argument("backup", type=click.Path(path_type=Path, file_okay=False, exists=True))
@pass_cli
def restore(cli: Cli, state: Path, backup: Path) -> None:
    """Put the meters' database back from a BACKUP of the office, while nothing runs. Boxes stay as they are."""
    try:
        with owner_alone(), told(_NOT_RESTORED):
            done = restore_centre(centre_folder(state), backup)
    except OSError as error:
        why, command = of_system(error)
        raise OperatorError(_NOT_RESTORED, why, command or "fob-office centre restore BACKUP") from None
    for name in done.files:
        cli.say(f"put back {name}")
    if done.command is not None:
        cli.say(f"next:  {done.command}")
    cli.say(f"{'then' if done.command else 'next'}:  fob-office run --state {state}")
    cli.say("then:  fob-office centre meter recover --all    (meters as their boxes know them)")
    cli.say("then:  fob-office centre log recover BOX    (each transaction box that `centre warnings` name)")
