"""`fob-office backup`: a copy that works where it is put."""

import shutil
from pathlib import Path

import click

from fob_office.backup import NOT_MADE, back_up
from fob_office.centre.bus.errors import DirectoryError
from fob_office.centre.next_step import STATUS
from fob_office.centre.places import centre_folder, has_centre
from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.errors import OperatorError
from fob_office.secrets.master_key import credential
from fob_office.settings import load_settings


@click.command()
@state_option
@json_option
@click.argument("folder", type=click.Path(path_type=Path))
@pass_cli
def backup(cli: Cli, state: Path, folder: Path) -> None:
    """Copy the office into the new FOLDER while it runs. `fob-office run --state FOLDER` works with the copy.

    The copy holds the master key: keep it as safe as the office itself.
    """
    commands = [back_up(load_settings(state, cli.environment), folder)]
    has_meters = has_centre(state)
    if has_meters:
        commands.append(_back_up_centre(state, folder))
    wanted = [command for command in commands if command is not None]
    key = credential(cli.environment)
    if cli.is_json:
        cli.data({
            "folder": str(folder), "holds_master_key": key is None, "next": wanted[0] if wanted else None,
            "commands": wanted,
        })  # fmt: skip
        return
    cli.say(f"copied {state} to {folder}")
    if has_meters:
        cli.say("the data centre's boxes are not in it: what they know is on two disks    (fob-office centre restore)")
    if key is not None:
        cli.say(f"the master key is not in it: it is systemd's credential {key.name}")
    for command in wanted:
        cli.say(f"next:  {command}")


def _back_up_centre(state: Path, folder: Path) -> str | None:
    # Loaded here: an office without a data centre needs none of it.
    from fob_office.centre.operating.backing_up import back_up_centre

    try:
        return back_up_centre(centre_folder(state), folder)
    except (DirectoryError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise OperatorError(NOT_MADE, f"the data centre: {error}", STATUS) from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
