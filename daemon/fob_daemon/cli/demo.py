"""`fob demo`: the whole thing on one machine, with nothing to plug in."""

import click

from fob_daemon.cli.context import Fob


@click.command(
    context_settings={"allow_interspersed_args": False}, short_help="Sign with an emulated phone: a walk, or a command."
)
@click.option(
    "--link", type=click.Choice(["serial", "ble"]), default="serial", show_default=True, help="The kind of line."
)
@click.option(
    "--tour",
    type=click.Choice(["signing", "office", "meter"]),
    default="signing",
    show_default=True,
    help="What the walk shows; `office` opens a back office too, which gives the phone what was ordered; `meter` one"
    " that also sells postage.",
)
@click.option("--headless", is_flag=True, help="Ask nobody; without a screen this is how it always is.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def demo(fob: Fob, link: str, tour: str, headless: bool, command: tuple[str, ...]) -> int:
    """Sign with an emulated phone: a guided walk, or COMMAND with the phone in its environment.

    COMMAND finds P11_KIT_SERVER_ADDRESS, PKCS11_MODULE, PKCS11_TOKEN_LABEL, PKCS11_PIN, PKCS11_SO_PIN, SSH_AUTH_SOCK
    and FOB_CONTROL_SOCKET set, with an office FOB_OFFICE_STATE too; the demo ends with its exit status and leaves
    nothing behind.
    """
    from fob_daemon.demo.errors import DemoError
    from fob_daemon.demo.links import LINKS
    from fob_daemon.demo.run import run_demo

    try:
        # With a COMMAND, standard output belongs to it.
        say = fob.output.say if command else fob.output.line
        return run_demo(LINKS[link], command, say, tour=tour)
    except DemoError as error:
        for line in error.log.splitlines():
            fob.output.say(line)
        raise
