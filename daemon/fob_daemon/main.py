"""fobd: start the daemon, in the foreground or under systemd."""

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from fob_daemon.config import Config, ConfigError, load_config, load_standing_config, own_config_file
from fob_daemon.daemon import Daemon
from fob_daemon.logs import configure_logs
from fob_daemon.service.environment import VARIABLES, ServiceEnvironmentError
from fob_daemon.service.listen_fds import inherited_sockets
from fob_daemon.service.notify import Notifier
from fob_daemon.start_error import StartError
from fob_daemon.version import own_version


def main() -> None:
    """The `fobd` program. Exit status 0 after SIGTERM or SIGINT, 1 when it cannot start, 2 for wrong usage."""
    arguments = parse_arguments()
    try:
        file = arguments.config or own_config_file()
        config = load_config(file) if arguments.config is not None else load_standing_config(file)
        configure_logs(config.log)
        run(config, file)
    except (ConfigError, StartError) as error:
        fail(str(error), error.next_command)
    except ServiceEnvironmentError as error:
        fail(
            str(error),
            f"env {' '.join(f'-u {name}' for name in VARIABLES)} fobd    (by hand, without a service manager)",
        )


def parse_arguments() -> argparse.Namespace:
    """argparse: the daemon starts faster than a command line library loads."""
    parser = argparse.ArgumentParser(prog="fobd", description="Offers the phone's keys to the programs of this PC.")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="configuration (TOML); without it ~/.config/fob/fobd.toml, or the defaults",
    )
    parser.add_argument("--version", action=ShowVersion, nargs=0, help="show the version and exit")
    # Help and version into a pipe that nobody reads end as they do for any program, without words.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    arguments = parser.parse_args()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return arguments


class ShowVersion(argparse.Action):
    """argparse's own "version" wants the text at every start, and reading it from the package's metadata takes time."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Called by argparse."""
        print(f"fobd {own_version()}")
        parser.exit()


def run(config: Config, file: Path | None) -> None:
    """Serve until a signal. `file`: what the configuration was read from."""
    notifier = Notifier.from_environment()
    sockets = inherited_sockets()
    with asyncio.Runner(loop_factory=fastest_loop()) as runner:
        runner.run(serve(config, file, notifier, sockets))


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed; None is asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def serve(config: Config, file: Path | None, notifier: Notifier, sockets: dict[str, socket.socket]) -> None:
    """Start, say so, and stop in order at the first signal."""
    daemon = Daemon(config, file)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await daemon.start(sockets)
    notifier.ready()
    watchdog = asyncio.create_task(notifier.run_watchdog())
    try:
        await stop.wait()
    finally:
        notifier.stopping()
        watchdog.cancel()
        await daemon.stop()


def fail(why: str, next_command: str) -> NoReturn:
    """Three lines, and exit status 1."""
    print(f"error: fobd did not start\nwhy:   {why}\ntry:   {next_command}", file=sys.stderr)
    sys.exit(1)
