"""Who asks for an SSH signature, and what it is for: the program behind the connection, the data, the bindings."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fob_daemon.agent.bindings import SessionBindings, fingerprint
from fob_daemon.agent.known_hosts import host_name, known_hosts_files
from fob_daemon.agent.own_logins import OwnLogins
from fob_daemon.agent.signed_data import LoginData, SignatureData, read_signed_data
from fob_daemon.caller.chain import program_chain
from fob_daemon.caller.forwarding import forwards, only_forwards
from fob_daemon.peer import PeerIdentity, program_arguments
from fob_protocol.caller import Caller, Purpose


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where to look a program up, and a host: by uid, the known_hosts files; by pid, what the ssh was told.

    `own_logins`: what is known of the programs `ssh`.
    """

    programs: Callable[[PeerIdentity], tuple[str, ...]] = program_chain
    known_hosts: Callable[[int], Iterable[Path]] = known_hosts_files
    arguments: Callable[[int], Sequence[str]] = lambda pid: program_arguments(Path("/proc", str(pid)))
    own_logins: OwnLogins = field(default_factory=OwnLogins)


async def caller_of(data: bytes, peer: PeerIdentity, bindings: SessionBindings, surroundings: Surroundings) -> Caller:
    """What the device is told of a request to sign `data`."""
    purpose, host, namespace = Purpose.UNKNOWN, "", ""
    signed = read_signed_data(data)
    match signed:
        case LoginData() as login:
            purpose, host = Purpose.LOGIN, await _host(login, peer, bindings, surroundings)
        case SignatureData() as signature:
            purpose, namespace = Purpose.SIGNATURE, signature.namespace.decode(errors="replace")
    is_forwarded = bindings.is_forwarded or _comes_by_forwarded_socket(signed, peer, bindings, surroundings.own_logins)
    return Caller(surroundings.programs(peer), purpose, host, namespace, is_forwarded)


def _comes_by_forwarded_socket(
    signed: LoginData | SignatureData | None, peer: PeerIdentity, bindings: SessionBindings, own_logins: OwnLogins
) -> bool:
    """Whether an ssh asks for what it does not need itself: all but a login of its own session, proved."""
    if only_forwards(peer.program) or not forwards(peer.program):
        return only_forwards(peer.program)
    if not isinstance(signed, LoginData) or bindings.host_key(signed.session_id) is None:
        return True
    return not own_logins.is_own(peer.pid, signed.session_id)


async def _host(login: LoginData, peer: PeerIdentity, bindings: SessionBindings, surroundings: Surroundings) -> str:
    """By the key that the signature itself names, which is the only host that takes it, or that the binding proved."""
    key = login.host_key or bindings.host_key(login.session_id)
    if key is None:
        return ""
    files = surroundings.known_hosts(peer.uid)
    # The peer's own command line has no port any more: `-p` is also where programs take a PIN.
    arguments = surroundings.arguments(peer.pid)
    # A thread reads: a home folder may lie on another machine.
    return await asyncio.to_thread(host_name, key, files, arguments) or fingerprint(key)
