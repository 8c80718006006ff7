"""`fob metrics`: what the daemon counted, as Prometheus reads it."""

import click

from fob_daemon.cli.context import Fob, json_option


@click.command()
@json_option
@click.pass_obj
def metrics(fob: Fob) -> None:
    """Print what the daemon counted, in Prometheus' text format.

    For node_exporter's textfile collector: fob metrics > fob.prom. Prometheus itself reads GET /v1/metrics through any
    proxy for Unix sockets.
    """
    text = fob.client.text("metrics")
    if fob.output.is_json:
        fob.output.data({"text": text})
    else:
        fob.output.text(text)
