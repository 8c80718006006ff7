"""`fob unlock` and `fob lock`: log in once for the key commands that follow, and for ssh and git."""

import click

from fob_daemon.cli.asks import asks_shown
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.pins import pin_option, with_pin


@click.command(short_help="Log in once, for the commands that follow, ssh and git.")
@device_option
@pin_option
@json_option
@click.pass_obj
def unlock(fob: Fob, device: str | None, pin_file: str | None) -> None:
    """Log in and stay so until `fob lock`: key commands, ssh and git ask for no PIN meanwhile."""
    chosen = fob.device(device)
    body = {"device": chosen["name"]}
    fob.output.say(f"Waiting for '{chosen['name']}' to check the PIN; look at it in case it asks ...")
    with asks_shown(fob, chosen["name"]):
        answer = with_pin(fob, chosen, pin_file, lambda pin: fob.client.post("unlock", body={**body, **pin}))
    if fob.output.is_json:
        fob.output.data(answer)
    else:
        fob.output.say("Unlocked, for ssh and git too.    to end it: fob lock")


@click.command(short_help="Log out again.")
@device_option
@json_option
@click.pass_obj
def lock(fob: Fob, device: str | None) -> None:
    """Log out again, of every device unless one is named; ssh and git too."""
    answer = fob.client.post("lock", body={"device": fob.device(device)["name"]} if device else {})
    if fob.output.is_json:
        fob.output.data(answer)
    else:
        fob.output.say(f"Locked: {', '.join(answer['locked'])}.")
