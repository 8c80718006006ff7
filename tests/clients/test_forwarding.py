"""Another machine that uses the agent of this one, by real OpenSSH: whatever was allowed here, the phone asks there."""

import shlex
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agent.openssh import Sshd
from clients.test_openssh import askpass
from fob_daemon.cli.client import Client
from support.live import Live, live_phone

KEY = "P-256"
# A yes holds for a while. It takes a moment, or there is nothing to see of the question.
RULES = f'[[approval]]\nkey = "{KEY}"\nafter = 0.1\nremember = 300\n'
FORWARDED = ", from another machine (forwarded agent)"
AGAIN = " (asked again: a forwarded agent asks always)"

# What goes into the background must not keep the test waiting for the end of its output.
SILENT = ("sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh")


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A phone whose person remembers each yes."""
    with live_phone(tmp_path_factory.mktemp("forwarding"), rules=RULES) as live:
        live.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "file_key")
        yield live


@pytest.fixture
async def host(phone: Live, tmp_path: Path) -> AsyncIterator[Sshd]:
    """The other machine: lets in whoever has the phone's key, or the one in the file."""
    keys = [phone.ssh_key(KEY), phone.folder / "file_key.pub"]
    async with Sshd.started(tmp_path, [key.read_text().strip() for key in keys]) as running:
        yield running


@pytest.fixture
def allowed(phone: Live, host: Sshd) -> str:
    """What the phone's person was asked by a login from here, and has allowed for a while."""
    (words,) = questions(phone, 1, *login(phone, host, "true"))
    assert questions(phone, 1, *login(phone, host, "true")) == []
    return words.partition(" (asked again")[0]


def login(phone: Live, host: Sshd, *arguments: str) -> tuple[str, ...]:
    """ssh to the other machine with the phone's key."""
    return host.login("-o", "IdentitiesOnly=yes", "-i", str(phone.ssh_key(KEY)), *arguments)


def login_by_file(host: Sshd, *arguments: str) -> tuple[str, ...]:
    """ssh to the other machine with a key of its own; it does not speak with the agent."""
    return host.login("-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-i", "file_key", *arguments)


def questions(phone: Live, signatures: int, *command: str, agent: Path | None = None) -> list[str]:
    """What the phone asks until so many signatures of a command are made, by Fob's agent or what leads to it."""
    asked: list[str] = []
    with Client(phone.scratch.socket("control")).stream("GET", "events") as events:
        phone.run(*command, SSH_AUTH_SOCK=str(agent or phone.scratch.socket("agent")))
        for event in events:
            assert isinstance(event.data, dict)
            asked += [str(event.data["words"])] if event.name == "ask" else []
            signatures -= event.name == "log" and event.data["operation"] == "sign"
            if not signatures:
                return asked
    raise AssertionError("the daemon has ended")


def there(phone: Live, host: Sshd, agent: Path | None = None) -> str:
    """What somebody types on the other machine to go on to a third one; as it is the same, with the same words."""
    onwards = shlex.join(login(phone, host, "echo hop"))
    return onwards if agent is None else f"SSH_AUTH_SOCK={agent} {onwards}"


def test_a_login_from_there_by_the_forwarded_agent(phone: Live, host: Sshd, allowed: str) -> None:
    for _ in range(2):
        assert questions(phone, 2, *login(phone, host, "-A", there(phone, host))) == [allowed + FORWARDED + AGAIN]
    assert questions(phone, 1, *login(phone, host, "true")) == [], "here it is allowed as before"
    assert "from another machine" in phone.run("fob", "log", "-n", "2").stdout.decode()


def test_ssh_add_there_lists_the_keys_and_asks_for_a_proof(phone: Live, host: Sshd, allowed: str) -> None:
    key = phone.ssh_key(KEY)
    assert phone.run(*login(phone, host, "-A", "ssh-add -l")).stdout.count(b"\n") == 3
    (asked,) = questions(phone, 2, *login(phone, host, "-A", f"ssh-add -T {key}"))
    assert asked == allowed.replace(f"log in to {host.fingerprint} with", "sign with") + FORWARDED


def test_git_there_signs_a_commit(phone: Live, host: Sshd, allowed: str, tmp_path: Path) -> None:
    settings = {"user.name": "Me", "user.email": "me@example.org", "gpg.format": "ssh"}
    settings["user.signingkey"] = str(phone.ssh_key(KEY))
    git = ("git", "-C", str(tmp_path), *(word for item in settings.items() for word in ("-c", "=".join(item))))
    commit = shlex.join((*git, "commit", "-q", "--allow-empty", "-S", "-m", "from there"))
    phone.run(*git, "init", "-q")
    for _ in range(2):
        (asked,) = questions(phone, 2, *login(phone, host, "-A", f"HOME={tmp_path} {commit}"))
        assert asked == allowed.replace(f"log in to {host.fingerprint}", "sign a git commit") + FORWARDED
    assert phone.run(*git, "log", "--format=%s").stdout == b"from there\n" * 2


@pytest.mark.parametrize("uses_agent", [True, False], ids=["ssh has used the agent", "ssh has not"])
def test_a_login_from_there_by_a_forwarded_socket(phone: Live, host: Sshd, allowed: str, *, uses_agent: bool) -> None:
    """The ssh over there binds its session as its own; it is not the one of the ssh here."""
    agent = host.folder / "forwarded"
    arguments = (*forward(phone, agent), there(phone, host, agent))
    command = login(phone, host, *arguments) if uses_agent else login_by_file(host, *arguments)
    assert questions(phone, 1 + uses_agent, *command) == [allowed + FORWARDED + AGAIN]


def forward(phone: Live, agent: Path) -> tuple[str, str]:
    """The options that give the other machine a way to the agent of this one."""
    return "-R", f"{agent}:{phone.scratch.socket('agent')}"


@pytest.mark.parametrize("uses_agent", [True, False], ids=["ssh has used the agent", "ssh has not"])
def test_a_login_from_there_through_an_ssh_in_the_background(phone: Live, host: Sshd, *, uses_agent: bool) -> None:
    """It is another process now than the one that has logged in."""
    agent = host.folder / "forwarded"
    control = ("-o", f"ControlPath={host.folder / 'control'}")
    stays = (*control, "-M", "-f", "-N", "-o", "ExitOnForwardFailure=yes", *forward(phone, agent), "")
    command = (login(phone, host, *stays) if uses_agent else login_by_file(host, *stays))[:-1]
    phone.run(*SILENT, *command)
    for _ in range(2):
        (asked,) = questions(phone, 1, *login(phone, host, "echo hop"), agent=agent)
        assert FORWARDED in asked
        assert asked.startswith(f"log in to {host.fingerprint} with '{KEY}' for ssh")
    phone.run(*host.login(*control, "-O", "exit", "")[:-1])


def test_a_forwarded_socket_is_no_way_to_the_pin_or_the_lock(phone: Live, host: Sshd) -> None:
    agent = host.folder / "forwarded"
    ask = f"SSH_AUTH_SOCK={agent} SSH_ASKPASS={askpass(phone)} SSH_ASKPASS_REQUIRE=force"
    for words in ("ssh-add -x", "ssh-add -s fob", "ssh-add -e fob"):
        done = phone.run(*login(phone, host, *forward(phone, agent), f"{ask} {words}"), check=False)
        assert done.returncode != 0
        assert b"refused" in done.stderr or b"Failed" in done.stderr
    assert phone.run("ssh-add", "-l").stdout.count(b"\n") == 3, "nothing is locked"


@pytest.mark.parametrize("how", ["in the background", "over a connection that stays", "by another host"])
def test_what_was_allowed_here_is_not_asked_here(phone: Live, host: Sshd, allowed: str, how: str) -> None:
    """Whatever else this ssh will do: it is its own login."""
    match how:
        case "in the background":
            command = login(phone, host, "-f", "-A", "-o", "StdinNull=yes", "true")
            assert questions(phone, 1, *SILENT, *command) == []
        case "over a connection that stays":
            control = ("-o", "ControlMaster=auto", "-o", f"ControlPath={host.folder / 'control'}")
            stays = login(phone, host, *control, "-o", "ControlPersist=60", "true")
            assert questions(phone, 1, *SILENT, *stays) == []
            phone.run(*login(phone, host, *control, "-O", "exit", "")[:-1])
        case _:
            config = host.folder / "config"
            config.write_text(
                f"Host *\n  Port {host.port}\n  IdentityFile {phone.ssh_key(KEY)}\n  IdentitiesOnly yes\n"
                f"  BatchMode yes\n  UserKnownHostsFile {host.folder / 'known_hosts'}\n"
            )
            jump = ("ssh", "-F", str(config), "-J", "127.0.0.1", "127.0.0.1", "true")
            (asked,) = questions(phone, 2, *jump)
            assert "for ssh <- ssh <- " in asked, "the jump is a program of its own; the login behind it is allowed"
            assert questions(phone, 2, *jump) == []
