"""Fuzz the requests of the control socket: whatever comes is a request or a ControlError, and an error repeats no body.

python tests/fuzz/fuzz_control.py -max_total_time=60
"""

import json
import sys

import atheris

with atheris.instrument_imports(include=["fob_daemon.control"]):
    from fob_daemon.control.errors import ControlError
    from fob_daemon.control.requests import ROUTES, parse_request

METHODS = ["GET", "POST", "DELETE"]
FIELDS = ("device", "url", "name", "equal", "type", "label", "id", "pin", "other")
SECRET = "pin-of-ada"
PATHS = [route.path for route in ROUTES]


def fuzz_one(data: bytes) -> None:
    """A method, a target that is often a real one, and a body."""
    provider = atheris.FuzzedDataProvider(data)
    method = provider.PickValueInList(METHODS)
    if provider.ConsumeBool():
        target = "/v1/" + provider.PickValueInList(PATHS) + provider.ConsumeUnicode(20)
    else:
        target = provider.ConsumeUnicode(200)
    if provider.ConsumeBool():
        body = json.dumps({name: field_value(provider) for name in FIELDS if provider.ConsumeBool()}).encode()
    else:
        body = provider.ConsumeBytes(10_000)
    try:
        parse_request(method, target, body)
    except ControlError as error:
        if SECRET in json.dumps(error.to_json()):
            raise AssertionError("an error repeats what was sent") from error


def field_value(provider: atheris.FuzzedDataProvider) -> object:
    """A text, the secret, or something of another kind."""
    kind = provider.ConsumeIntInRange(0, 3)
    return (provider.ConsumeUnicode(80), SECRET, [SECRET], provider.ConsumeBool())[kind]


def main() -> None:
    """Run until atheris stops."""
    atheris.Setup(sys.argv, fuzz_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
