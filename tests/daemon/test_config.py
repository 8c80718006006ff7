"""The configuration file: defaults, values, and the words for what it may not hold."""

from pathlib import Path

import pytest

from fob_daemon.config import Config, ConfigError, LogSettings, Sockets, TimeoutSettings, load_config


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
            """,
        )
    )

    defaults = Config()
    assert config.state == Path("/srv/fob")
    assert config.sockets == Sockets(agent=Path("/run/agent"), allowed_uids=frozenset({0, 1000}))
    assert config.timeouts == TimeoutSettings(login=5.0, private_operation=600.0, logout_linger=0.0)
    assert config.sockets.provider == defaults.sockets.provider
    assert config.log == LogSettings(level="debug", format="json")


SECONDS = "must be a number of seconds, above 0 to 600"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stat = 'x'", "'stat': is not known; known are state, sockets, timeouts, log"),
        ("[timeouts]\nlogn = 5", "'timeouts.logn': is not known; known are login, private_operation, key_generation"),
        ("timeouts = 5", "'timeouts': must be a table"),
        ("[[log]]\nlevel = 'info'", "'log': must be a table"),
        ("[timeouts]\nlogin = 0", f"'timeouts.login': {SECONDS}"),
        ("[timeouts]\nlogin = -1", f"'timeouts.login': {SECONDS}"),
        ("[timeouts]\nlogin = 600.5", f"'timeouts.login': {SECONDS}"),
        ("[timeouts]\nlogin = nan", f"'timeouts.login': {SECONDS}"),
        ("[timeouts]\nlogin = inf", f"'timeouts.login': {SECONDS}"),
        ("[timeouts]\nlogin = true", f"'timeouts.login': {SECONDS}"),
        ("[timeouts]\nlogin = '5'", f"'timeouts.login': {SECONDS}"),
        ("[timeouts]\nlogout_linger = -1", "'timeouts.logout_linger': must be a number of seconds, from 0 to 3600"),
        ("state = 5", "'state': must be a path"),
        ("state = ''", "'state': must be a path"),
        ("[sockets]\nallowed_uids = 5", "'sockets.allowed_uids': must be a list of user ids"),
        ("[sockets]\nallowed_uids = [-1]", "'sockets.allowed_uids': must be a list of user ids"),
        ("[sockets]\nallowed_uids = [true]", "'sockets.allowed_uids': must be a list of user ids"),
        ("[sockets]\nallowed_uids = ['root']", "'sockets.allowed_uids': must be a list of user ids"),
        ("[log]\nlevel = 'INFO'", "'log.level': must be one of debug, info, warning, error"),
        ("[log]\nformat = []", "'log.format': must be one of console, json"),
        ("state = ", "(at end of document)"),
        (b"state = '\xff'", "invalid start byte"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_rule(tmp_path: Path, text: str | bytes, words: str) -> None:
    file = written(tmp_path, text)

    with pytest.raises(ConfigError) as refused:
        load_config(file)

    assert str(refused.value).startswith(f"{file}: ")
    assert words in str(refused.value)


def test_a_file_that_is_not_there_is_an_error_and_not_the_defaults(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory"):
        load_config(tmp_path / "fobd.toml")
