"""`fob-office centre renew`."""

from pathlib import Path

import click

from fob_office.centre.operating import certificates
from fob_office.centre.operating.operator import told
from fob_office.centre.places import centre_folder, load_centre
from fob_office.cli.context import Cli, issuer_key_option, json_option, pass_cli, state_option


@click.command()
@state_option
@json_option
@issuer_key_option
@click.option("--new-keys", is_flag=True, help="Other keys for `metering`, when those of now may be known to others.")
@pass_cli
def renew(cli: Cli, state: Path, issuer_key: Path | None, new_keys: bool) -> None:
    """Certificates of the servers `metering` and `boxes` for another 1200 days, and the validation server's newest key.

    Function servers that run start anew, one by one. Cut off in the middle, the same command goes on.
    """
    folder = centre_folder(state)
    load_centre(folder)
    with cli.issuing(state, issuer_key) as issuing, cli.office(state) as office, told("nothing was renewed"):
        renewed = certificates.renew(office, issuing, folder, with_new_keys=new_keys)
    if cli.is_json:
        cli.data({"until": renewed.until, "epoch": renewed.epoch, "told": list(renewed.told)})
        return
    cli.fields({"until": renewed.until, "epoch of metering": renewed.epoch, "told": list(renewed.told)})
    if new_keys:
        cli.say("next:  fob-office server revoke metering --old    (when devices had time to learn the new ones)")
