"""`fob-office centre run`."""

from pathlib import Path

import click

from fob_office.centre.places import centre_folder
from fob_office.centre.supervising.supervisor import run_centre
from fob_office.cli.context import Cli, pass_cli, state_option
from fob_office.logs import configure_logs
from fob_office.ready import say_ready
from fob_office.settings import load_settings


@click.command()
@state_option
@pass_cli
def run(cli: Cli, state: Path) -> None:
    """Run all processes of the data centre that belong to this machine, until SIGTERM or Ctrl-C."""
    settings = load_settings(state, cli.environment)
    folder = centre_folder(state)
    configure_logs(settings.log)

    def on_ready() -> None:
        cli.say(f"the data centre in {folder} is ready")
        say_ready(str(folder))

    run_centre(folder, cli.surroundings, settings.log, on_ready)
