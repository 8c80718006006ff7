"""Fuzz the requests of the control socket: whatever comes is a request or a ControlError, and an error repeats no body.

python tests/fuzz/fuzz_control.py -max_total_time=60
"""

import sys

import atheris

with atheris.instrument_imports(include=["fob_daemon.control"]):
    from fob_daemon.control.errors import ControlError
    from fob_daemon.control.requests import ROUTES, parse_request

METHODS = ["GET", "POST", "DELETE"]
PATHS = [route.path for route in ROUTES]


def fuzz_one(data: bytes) -> None:
    """A method, a target that is often a real one, and a body."""
    provider = atheris.FuzzedDataProvider(data)
    method = provider.PickValueInList(METHODS)
    if provider.ConsumeBool():
        target = "/v1/" + provider.PickValueInList(PATHS) + provider.ConsumeUnicode(20)
    else:
        target = provider.ConsumeUnicode(200)
    body = provider.ConsumeBytes(10_000)
    try:
        parse_request(method, target, body)
    except ControlError as error:
        error.to_json()


def main() -> None:
    """Run until atheris stops."""
    atheris.Setup(sys.argv, fuzz_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
