"""The configuration file: defaults, values, and the words for what it may not hold."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from daemon.running import refused as refused_start
from fob_daemon.config import (
    BluetoothSettings,
    Config,
    ConfigError,
    LogSettings,
    OfficeSettings,
    Sockets,
    TimeoutSettings,
    load_config,
    load_standing_config,
    own_config_file,
)
from fob_daemon.demo.processes import program
from fob_daemon.demo.scratch import Scratch

UNKNOWN = "Object contains unknown field `stat`; known are state, sockets, timeouts, log, bluetooth, office"
NO_CONTROLLER = ": a controller is one of hci-socket, usb, serial, tcp-client, unix-client, a colon, and which"


def written(folder: Path, text: str | bytes) -> Path:
    """A configuration file."""
    file = folder / "fobd.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_without_a_file_every_entry_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/fob")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/fob")
    monkeypatch.delenv("FOB_CONTROL_SOCKET", raising=False)

    assert load_config(None) == Config(
        state=Path("/var/lib/fob"),
        sockets=Sockets(
            provider=Path("/run/fob/provider.sock"),
            agent=Path("/run/fob/agent.sock"),
            control=Path("/run/fob/control.sock"),
            allowed_uids=frozenset(),
        ),
        timeouts=TimeoutSettings(login=60.0, private_operation=60.0, key_generation=120.0, logout_linger=2.0),
        log=LogSettings(level="info", format="console"),
    )


@pytest.mark.parametrize("is_told", [True, False], ids=["XDG_CONFIG_HOME", "home"])
def test_a_daemon_that_is_told_no_file_reads_its_user_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_told: bool
) -> None:
    """The one that `fob setup` writes and `fob doctor` looks at."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    folder = tmp_path / "home/.config"
    if is_told:
        folder = tmp_path / "settings"
        monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    assert own_config_file() is None
    (folder / "fob").mkdir(parents=True)
    file = written(folder / "fob", "[log]\nlevel = 'debug'")
    assert own_config_file() == file
    assert load_standing_config(file) == load_config(file) != load_config(None)
    file.write_text("nonsense")
    done = subprocess.run(program("fobd"), capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "error: fobd did not start")
    assert str(file) in done.stderr


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "")) == load_config(None)


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    config = load_config(
        written(
            tmp_path,
            """
            state = "/srv/fob"
            [sockets]
            agent = "/run/agent"
            allowed_uids = [0, 1000, 1000]
            [timeouts]
            login = 5
            private_operation = 600
            logout_linger = 0
            [log]
            level = "debug"
            format = "json"
            [bluetooth]
            hci = "serial:/dev/ttyACM0,1000000"
            [office]
            url = "https://office.example:8443/fob"
            ca_file = "/etc/fob/office.pem"
            """,
        )
    )

    defaults = Config()
    assert config.state == Path("/srv/fob")
    assert config.sockets == Sockets(agent=Path("/run/agent"), allowed_uids=frozenset({0, 1000}))
    assert config.timeouts == TimeoutSettings(login=5.0, private_operation=600.0, logout_linger=0.0)
    assert config.sockets.provider == defaults.sockets.provider
    assert config.log == LogSettings(level="debug", format="json")
    assert config.bluetooth == BluetoothSettings(hci="serial:/dev/ttyACM0,1000000")
    assert config.office == OfficeSettings(url="https://office.example:8443/fob", ca_file=Path("/etc/fob/office.pem"))


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "127.1.2.3"])
def test_an_office_on_this_computer_needs_no_tls(tmp_path: Path, host: str) -> None:
    assert load_config(written(tmp_path, f"[office]\nurl = 'http://{host}'")).office.url == f"http://{host}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stat = 'x'", UNKNOWN),
        (
            "[timeouts]\nlogn = 5",
            "'timeouts': Object contains unknown field `logn`; "
            "known are login, private_operation, key_generation, logout_linger",
        ),
        ("timeouts = 5", "'timeouts': Expected `object`, got `int`"),
        ("[[log]]\nlevel = 'info'", "'log': Expected `object`, got `array`"),
        ("[timeouts]\nlogin = 0", "'timeouts.login': Expected `float` > 0.0"),
        ("[timeouts]\nlogin = -1", "'timeouts.login': Expected `float` > 0.0"),
        ("[timeouts]\nlogin = 600.5", "'timeouts.login': Expected `float` <= 600.0"),
        ("[timeouts]\nlogin = nan", "'timeouts.login': Expected `float` > 0.0"),
        ("[timeouts]\nlogin = inf", "'timeouts.login': Expected `float` <= 600.0"),
        ("[timeouts]\nlogin = true", "'timeouts.login': Expected `float`, got `bool`"),
        ("[timeouts]\nlogin = '5'", "'timeouts.login': Expected `float`, got `str`"),
        ("[timeouts]\nlogout_linger = -1", "'timeouts.logout_linger': Expected `float` >= 0.0"),
        ("[timeouts]\nlogout_linger = 3601", "'timeouts.logout_linger': Expected `float` <= 3600.0"),
        ("state = 5", "'state': Expected a path"),
        ("state = ''", "'state': Expected a path"),
        ("[sockets]\nagent = []", "'sockets.agent': Expected a path"),
        ("[sockets]\nallowed_uids = 5", "'sockets.allowed_uids': Expected `array`, got `int`"),
        ("[sockets]\nallowed_uids = [0, -1]", "'sockets.allowed_uids[1]': Expected `int` >= 0"),
        ("[sockets]\nallowed_uids = [true]", "'sockets.allowed_uids[0]': Expected `int`, got `bool`"),
        ("[sockets]\nallowed_uids = ['root']", "'sockets.allowed_uids[0]': Expected `int`, got `str`"),
        ("[log]\nlevel = 'INFO'", "'log.level': Invalid enum value 'INFO'; known are debug, info, warning, error"),
        ("[log]\nformat = []", "'log.format': Expected `str`, got `array`"),
        *(
            (f"[bluetooth]\nhci = '{name}'", f"'bluetooth': hci = '{name}'{NO_CONTROLLER}")
            for name in ("unix-client:", "unix-client", "", "hci0")
        ),
        (
            "[bluetooth]\nhci = 'hci-socket:x'",
            "hci = 'hci-socket:x': behind hci-socket: stands a number from 0 to 65534, as in hci-socket:0",
        ),
        *(
            (f"[office]\nurl = '{url}'", f"'office': url: {words}")
            for url, words in (
                ("", "an address has 1 to 512 visible characters of ASCII"),
                ("https://office.example/" + "a" * 500, "an address has 1 to 512 visible characters of ASCII"),
                ("https://office .example", "an address has 1 to 512 visible characters of ASCII"),
                ("https://b\u00fcro.example", "an address has 1 to 512 visible characters of ASCII"),
                ("office.example", "an address is https://HOST, with :PORT and /PATH if they are needed"),
                ("ftp://office.example", "an address is https://HOST, with :PORT and /PATH if they are needed"),
                ("https://", "an address is https://HOST, with :PORT and /PATH if they are needed"),
                ("https://office.example:99999", "it is no address: Port out of range 0-65535"),
                ("https://me:secret@office.example", "an address holds no user and no password"),
                ("https://office.example/?a", "an address ends with its path"),
                ("https://office.example/#a", "an address ends with its path"),
                ("http://office.example", "http:// is for an office on this computer; any other one is https://"),
                ("http://192.0.2.1", "http:// is for an office on this computer; any other one is https://"),
            )
        ),
        ("[office]\nca_file = 'ca.pem'", "'office': ca_file is for a url, and there is none"),
        (f"[office]\nissuer = '{'07' * 32}'", "'office': issuer is for a url, and there is none"),
        ("[office]\ncertificate = 'one'", "'office': certificate is for a url, and there is none"),
        ("[office]\nurl = 'https://office'\nissuer = '07'", "'office': issuer has to be 64 hexadecimal digits"),
        ("[bluetooth]\nhci = 0", "'bluetooth.hci': Expected `str | null`, got `int`"),
        ("state = ", "(at end of document)"),
        *(
            (f"state = '{path}'", "'state': Expected an absolute path, beginning with /")
            for path in ("fob", "./fob", "~/fob")
        ),
        (b"state = '\xff'", "invalid start byte"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_rule(tmp_path: Path, text: str | bytes, words: str) -> None:
    file = written(tmp_path, text)

    with pytest.raises(ConfigError) as refused:
        load_config(file)

    assert str(refused.value).startswith(f"{file}: ")
    assert str(refused.value).endswith(words)
    assert refused.value.next_command == f"mend {file} (docs/configuration.md), and then the same command"


def test_a_file_that_is_not_there_is_an_error_and_not_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "fobd.toml"
    with pytest.raises(ConfigError, match="No such file or directory") as refused:
        load_config(file)
    command, _, what = refused.value.next_command.partition("    ")
    assert (command, what) == (f"install -D -m 600 /dev/null {file}", "(an empty file means the defaults)")
    subprocess.run(shlex.split(command), check=True)
    assert load_config(file) == load_config(None)


def test_a_pipe_at_the_place_of_the_default_file_is_refused_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only who names a pipe means it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "fob").mkdir()
    os.mkfifo(tmp_path / "fob/fobd.toml")
    with pytest.raises(ConfigError, match="it is not a file") as refused:
        load_standing_config(own_config_file())
    assert refused.value.next_command == f"ls -ld {tmp_path / 'fob/fobd.toml'}"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory") as refused:
        load_config(tmp_path)
    assert refused.value.next_command == f"ls -ld {tmp_path}"


def test_the_daemon_says_what_to_mend_and_sends_nobody_elsewhere(scratch: Scratch) -> None:
    scratch.config.write_text("[timeouts]\nlogin = 0\n")
    assert refused_start(scratch) == [
        "error: fobd did not start",
        f"why:   {scratch.config}: 'timeouts.login': Expected `float` > 0.0",
        f"try:   mend {scratch.config} (docs/configuration.md), and then the same command",
    ]


def test_variables_of_a_service_manager_that_contradict_themselves(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "nowhere")
    words = refused_start(scratch)
    assert words[1] == "why:   NOTIFY_SOCKET is 'nowhere', neither a path nor an abstract name"
    assert words[2].startswith("try:   env -u LISTEN_PID ")
