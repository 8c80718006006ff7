"""`fob-office run`: serve devices and operators."""

from contextlib import nullcontext
from pathlib import Path

import click
from msgspec.structs import replace

from fob_office.centre.places import centre_folder, has_centre
from fob_office.cli.context import Cli, pass_cli, state_option
from fob_office.components.ends import ending_releases
from fob_office.issuer.ends import soon_over
from fob_office.listening import Place, listen, parse_place
from fob_office.logs import configure_logs
from fob_office.office import Office, open_office
from fob_office.ready import say_ready
from fob_office.roles import chosen
from fob_office.settings import load_settings


@click.command()
@state_option
@click.option("--listen", "place", metavar="HOST:PORT", help="Instead of what office.toml says; port 0 is a free one.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes. Instead of what office.toml says.")
@click.option("--no-tls", is_flag=True, help="Plain HTTP, for a proxy on this machine that speaks TLS.")
@click.option("--anyway", is_flag=True, help="With --no-tls: at an address too that other machines reach.")
@pass_cli
def run(cli: Cli, state: Path, place: str | None, workers: int | None, no_tls: bool, anyway: bool) -> None:
    """Serve devices and operators until SIGTERM or Ctrl-C; with the data centre, where there is one."""
    # Loaded here: the other commands start faster without it.
    from fob_office.centre.supervising.beside import centre_beside
    from fob_office.http.serving import serve

    settings = load_settings(state, cli.environment)
    settings = replace(settings, listen=place or settings.listen, workers=workers or settings.workers)
    chosen(settings.roles)
    wanted = parse_place(settings.listen)
    office = open_office(settings, cli.environment, cli.surroundings)
    cli.take_up(office)
    cli.keep(office)
    with office.database.read() as session:
        ending = ending_releases(session, office.now())
    for warning in (*_due(office, state), *ending):
        cli.say(f"warning: {warning}")
    with listen(wanted, only_here=no_tls and not anyway) as listener:
        # Whoever connects from now on is answered.
        url = Place(wanted.host, listener.getsockname()[1]).url("http" if no_tls else "https")

        def on_ready() -> None:
            cli.say(f"listening at {url}")
            say_ready(url)

        configure_logs(settings.log)
        beside = centre_beside(centre_folder(state), settings.log) if has_centre(state) else nullcontext()
        with beside:
            serve(office, listener, has_tls=not no_tls, on_ready=on_ready)


def _due(office: Office, state: Path) -> list[str]:
    if has_centre(state):
        # Loaded here: an office without a data centre starts faster.
        from fob_office.centre.operating.certificates import trouble_of

        return trouble_of(office, centre_folder(state))
    with office.database.read() as session:
        return soon_over(session, office)
