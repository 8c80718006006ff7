"""libp11, below OpenSSL's engine, gives up a list of keys at the first that is neither RSA nor EC."""

from collections.abc import Iterator

import pytest

from cryptoki.desk import Client
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.constants import Ckk, Cko

PRIVATE: Template = {Cka.CLASS: int(Cko.PRIVATE_KEY)}


def found(client: Client, session: int, template: Template, at_a_time: int) -> Iterator[int]:
    """The handles of a search that fetches so many with each call."""
    application = client.application
    application.find_objects_init(session, template)
    while handles := application.find_objects(session, at_a_time):
        yield from handles
    application.find_objects_final(session)


@pytest.mark.parametrize("kind", [Cko.PRIVATE_KEY, Cko.PUBLIC_KEY])
async def test_its_list_leaves_the_ed25519_key_out(client: Client, kind: Cko) -> None:
    session = await client.user_session()
    client.application.get_info()
    seen = []
    for handle in found(client, session, {Cka.CLASS: int(kind)}, 1):
        seen += await client.application.get_attribute_values(session, handle, [Cka.KEY_TYPE])
    assert seen == [Ckk.RSA, Ckk.EC]


@pytest.mark.parametrize(
    ("asks_for_info", "template", "at_a_time"),
    [
        (False, PRIVATE, 1),
        (True, PRIVATE, 2),
        (True, {**PRIVATE, Cka.SIGN: True}, 1),
    ],
    ids=["pkcs11-tool", "several at a time", "another search"],
)
async def test_other_lists_are_whole(client: Client, asks_for_info: bool, template: Template, at_a_time: int) -> None:
    session = await client.user_session()
    if asks_for_info:
        client.application.get_info()
    assert len(list(found(client, session, template, at_a_time))) == 3


async def test_whoever_names_the_key_finds_it(client: Client) -> None:
    session = await client.user_session()
    client.application.get_info()
    named = {**PRIVATE, Cka.KEY_TYPE: int(Ckk.EC_EDWARDS)}
    assert len(list(found(client, session, named, 1))) == 1
