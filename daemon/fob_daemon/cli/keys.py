"""`fob keys`: list, new, show, delete."""

import shlex
from typing import Any

import click

from fob_daemon.cli.asks import asks_shown
from fob_daemon.cli.completing import complete_key
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.parameters import KEY_ID, LABEL
from fob_daemon.cli.pins import pin_option, with_pin
from fob_daemon.cli.questions import NOBODY, confirm
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.key_type import KeyType
from fob_daemon.p11_kit import pkcs11_tool

_HEADER = ("LABEL", "ID", "TYPE", "DEVICE", "URI")


@click.group()
def keys() -> None:
    """Keys on the phone: they are made there and never leave it."""


@keys.command("list", short_help="List the keys; private ones while it is unlocked.")
@device_option
@json_option
@click.pass_obj
def list_command(fob: Fob, device: str | None) -> None:
    """List the keys; private halves are seen while the device is unlocked."""
    found = keys_of(fob, device)
    if fob.output.is_json:
        fob.output.data({"keys": found})
        return
    if not found:
        fob.output.say("There are no keys.    try: fob keys new --type ec:p256 --label NAME")
    fob.output.table(_HEADER, [tuple(key[name.lower()] for name in _HEADER) for key in found])


@keys.command("new")
@click.option(
    "--type",
    "key_type",
    type=click.Choice([key_type.value for key_type in KeyType]),
    default=KeyType.EC_P256.value,
    show_default=True,
    help="Algorithm and size.",
)
@click.option("--label", type=LABEL, required=True, help="A name for people, shown when the key is used.")
@click.option("--id", "key_id", type=KEY_ID, metavar="HEX", help="CKA_ID; random otherwise.")
@device_option
@pin_option
@json_option
@click.pass_obj
def new_command(
    fob: Fob, key_type: str, label: str, key_id: str | None, device: str | None, pin_file: str | None
) -> None:
    """Make a key pair on the phone."""
    chosen = fob.device(device)
    body = {"device": chosen["name"], "type": key_type, "label": label} | ({"id": key_id} if key_id else {})
    _announce(fob, chosen, f"to make a key of type {key_type}")
    with asks_shown(fob, chosen["name"]):
        made = with_pin(fob, chosen, pin_file, lambda pin: fob.client.post("keys", body={**body, **pin}))
    fob.output.changed("the key is made", "fob keys list")
    if fob.output.is_json:
        fob.output.data(made)
        return
    fob.output.say("Made.")
    _show_fields(fob, made)


@keys.command("show")
@click.argument("key", shell_complete=complete_key)
@click.option("--pem", "form", flag_value="pem", help="The public key in PEM.")
@click.option("--ssh", "form", flag_value="ssh", help="The public key as a line for authorized_keys.")
@click.option("--p11-uri", "form", flag_value="uri", help="The private key's PKCS#11 URI (RFC 7512).")
@device_option
@json_option
@click.pass_obj
def show_command(fob: Fob, key: str, form: str | None, device: str | None) -> None:
    """Show one KEY, named by its label or its id."""
    found = find_key(fob, key, device)
    details = fob.client.get("keys", found["device"], found["id"])
    if fob.output.is_json:
        fob.output.data(details)
    elif form is None:
        _show_details(fob, details)
    elif details[form] is None:
        why = f"'{key}' has no public half of a known kind"
        raise ControlError("the public key is not shown", why, f"fob keys show {shlex.quote(key)}")
    else:
        fob.output.text(details[form])


@keys.command("delete")
@click.argument("key", shell_complete=complete_key)
@click.option("--yes", is_flag=True, help="Do not ask.")
@device_option
@pin_option
@json_option
@click.pass_obj
def delete_command(fob: Fob, key: str, yes: bool, device: str | None, pin_file: str | None) -> None:
    """Delete one KEY, named by its label or its id. Nobody can bring it back."""
    found = find_key(fob, key, device)
    chosen = fob.device(found["device"])
    if not yes:
        _confirm_deletion(fob, found)
    _announce(fob, chosen, "to delete the key")
    path = ("keys", found["device"], found["id"])
    with asks_shown(fob, chosen["name"]):
        deleted = with_pin(fob, chosen, pin_file, lambda pin: fob.client.delete(*path, body=dict(pin)))
    fob.output.changed("the key is deleted", "fob keys list")
    if fob.output.is_json:
        fob.output.data(deleted)
    else:
        fob.output.say("Deleted.")


def _confirm_deletion(fob: Fob, key: dict[str, Any]) -> None:
    """Raises ControlError when the person does not want it, or is not there."""
    answer = confirm(fob.output, f"Delete '{key['label']}' ({key['id']}, {key['type']}) for good?")
    if answer is None:
        raise ControlError("nothing was deleted", NOBODY, f"fob keys delete {key['id']} --yes", ExitCode.USAGE)
    if not answer:
        raise ControlError("nothing was deleted", "it was not confirmed", "fob keys list", ExitCode.NOTHING_TO_DO)


def keys_of(fob: Fob, device: str | None) -> list[dict[str, Any]]:
    query = {"device": fob.device(device)["name"]} if device else {}
    found: list[dict[str, Any]] = fob.client.get("keys", **query)["keys"]
    return found


def find_key(fob: Fob, key: str, device: str | None) -> dict[str, Any]:
    """The one key of that id or label, which has an id. Raises ControlError."""
    listed = keys_of(fob, device)
    found = [k for k in listed if key and key.lower() == k["id"]] or [k for k in listed if key == k["label"]]
    if len(found) == 1 and not found[0]["id"]:
        raise ControlError(
            f"'{key}' has no id",
            "the program that made it gave it no CKA_ID, and key commands go by that",
            _set_id(fob, found[0]),
        )
    if len(found) == 1:
        return found[0]
    if not found:
        why = f"of {len(listed)} keys none has this label or id" if listed else "there are no keys"
        raise ControlError(f"no key is called '{key}'", why, "fob keys list")
    several = ", ".join(f"{k['id']} on '{k['device']}'" for k in found)
    raise ControlError(f"which '{key}'?", f"there are {several}", "the same command with an id", ExitCode.USAGE)


def _set_id(fob: Fob, key: dict[str, Any]) -> str:
    """The command that gives a key without an id one, half by half. Raises ControlError."""
    provider = fob.client.get("status")["provider_socket"]
    tool = pkcs11_tool(provider, fob.device(key["device"])["label"], f"--login --label {shlex.quote(key['label'])}")
    return f"{tool} --set-id HEX --type privkey    (and again with --type pubkey)"


def _announce(fob: Fob, device: dict[str, Any], purpose: str) -> None:
    fob.output.say(f"Waiting for '{device['name']}' {purpose}; look at it in case it asks ...")


def _show_fields(fob: Fob, key: dict[str, Any]) -> None:
    fob.output.fields({name.lower(): key[name.lower()] for name in _HEADER})


def _show_details(fob: Fob, key: dict[str, Any]) -> None:
    _show_fields(fob, key)
    for half, attributes in key["attributes"].items():
        fob.output.line()
        fob.output.line(f"{half} key")
        fob.output.fields({f"  {name}": value for name, value in attributes.items()})
    if key["pem"]:
        fob.output.line()
        fob.output.text(key["pem"])
