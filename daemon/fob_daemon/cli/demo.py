"""`fob demo`: the whole thing on one machine, with nothing to plug in."""

import sys

import click


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--link", type=click.Choice(["serial"]), default="serial", show_default=True, help="The kind of line.")
@click.option("--headless", is_flag=True, help="Ask nobody; without a screen this is how it always is.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def demo(link: str, headless: bool, command: tuple[str, ...]) -> None:
    """Sign with an emulated phone: a guided walk, or COMMAND with the phone in its environment.

    COMMAND finds P11_KIT_SERVER_ADDRESS, PKCS11_MODULE, PKCS11_TOKEN_LABEL, PKCS11_PIN, PKCS11_SO_PIN, SSH_AUTH_SOCK
    and FOB_CONTROL_SOCKET set; the demo ends with its exit status and leaves nothing behind.
    """
    from fob_daemon.demo.processes import DemoError
    from fob_daemon.demo.run import run_demo

    # With a COMMAND, standard output belongs to it.
    say = (lambda words: click.echo(words, err=True)) if command else click.echo
    try:
        status = run_demo(command, say)
    except DemoError as error:
        what, _, why = str(error).partition("\n")
        click.echo(f"error: {what}\nwhy:   {why.strip() or 'see above'}\ntry:   fob doctor", err=True)
        status = 1
    sys.exit(status)
