"""One running daemon offers local programs one API: two sockets that stock programs know, and its own (X1)."""

import http.client
import json
import os
import socket
import struct
from typing import Any, Final

import pytest

from fob_daemon.control.requests import ROUTES
from support.live import CLIENT_TIME, Live

# What a program may want, and a question of each that changes nothing. `{device}` is the phone.
READS: Final = {
    "keys": ("keys", "devices/{device}/history", "grants"),
    "configuration": ("office", "devices", "devices/{device}/options"),
    "registration": ("devices/{device}/servers",),
    "validation": ("integrity", "devices/{device}/copies"),
    "franking": ("meters", "devices/{device}/meter/jobs", "devices/{device}/meter/franked"),
}


def serving(live: Live, name: str) -> int:
    """The process that listens at a socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(CLIENT_TIME)
        connection.connect(str(live.scratch.socket(name)))
        pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    assert uid == os.getuid()
    return int(pid)


def get(live: Live, path: str) -> tuple[int, Any]:
    """Status and answer."""
    connection = http.client.HTTPConnection("fob")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(CLIENT_TIME)
    connection.sock.connect(str(live.scratch.socket("control")))
    try:
        connection.request("GET", f"/v1/{path}")
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()


@pytest.mark.clause("X1")
def test_one_process_serves_keys_configuration_validation_and_franking(live: Live) -> None:
    assert len({serving(live, name) for name in ("provider", "agent", "control")}) == 1
    paths = {route.path for route in ROUTES if route.method == "GET"}
    device = live.device()["name"]
    for wanted, reads in READS.items():
        for read in reads:
            assert read in paths, wanted
            status, answer = get(live, read.format(device=device))
            # This phone has no back office: who asks it for one is told so by a name, as the API tells everything.
            assert status == 200 or "CKR_FUNCTION_NOT_SUPPORTED" in json.dumps(answer), (wanted, read, answer)
    # The same three keys, by each of the doors.
    (_, kept), agent = get(live, "keys"), live.run("ssh-add", "-L").stdout.decode()
    module = live.pkcs11_tool("--list-objects", "--type", "pubkey", login=False).stdout.decode()
    labels = [key["label"] for key in kept["keys"]]
    assert {"P-256", "RSA-2048", "Ed25519"} <= set(labels)
    for label in ("P-256", "RSA-2048", "Ed25519"):
        assert label in module
        assert live.ssh_key(label).read_text().split()[1] in agent
