"""Objects: listing, making, changing, destroying."""

from fob_device.security.context import Context
from fob_device.security.pages import objects_answer, page_answer
from fob_device.security.unlocking import unlocked_to, unlocked_to_import, unlocked_to_make
from fob_device.security.values import optional_octets, positive, whole
from fob_device.token.views import ObjectView, Page
from fob_protocol.at.answer import Answer
from fob_protocol.at.attribute_list import block_to_mechanism, values_to_attributes
from fob_protocol.at.values import Values
from fob_protocol.errors import AtSyntaxError

# A page's share of one answer: room for the largest object beside it.
PAGE_OCTETS = 24_576


async def find_objects(context: Context, values: Values) -> Answer:
    """C_FindObjects and C_GetAttributeValue for all that changed since a generation."""
    return page_answer(context.token.changes_since(whole(values[0]), limit_bytes=PAGE_OCTETS))


async def get_attribute(context: Context, values: Values) -> Answer:
    """C_GetAttributeValue of a value that stands sealed."""
    return Answer(((context.session.read_attribute(positive(values[0]), whole(values[1])),),))


async def set_attributes(context: Context, values: Values) -> Answer:
    """C_SetAttributeValue."""
    handle, template = positive(values[0]), values_to_attributes(values[1:])
    await unlocked_to(context, "change the key", handle)
    return _answer(context, await context.slowly(lambda: context.session.set_attributes(handle, template)))


async def create_object(context: Context, values: Values) -> Answer:
    """C_CreateObject."""
    template = values_to_attributes(values)
    await unlocked_to_import(context, template)
    return _answer(context, await context.slowly(lambda: context.session.create_object(template)))


async def copy_object(context: Context, values: Values) -> Answer:
    """C_CopyObject."""
    handle, template = positive(values[0]), values_to_attributes(values[1:])
    await unlocked_to(context, "copy the key", handle)
    return _answer(context, await context.slowly(lambda: context.session.copy_object(handle, template)))


async def destroy_object(context: Context, values: Values) -> Answer:
    """C_DestroyObject."""
    handle = positive(values[0])
    await unlocked_to(context, "destroy the key", handle)
    await context.slowly(lambda: context.session.destroy_object(handle))
    return page_answer(Page(context.token.generation, full=False, more=False, objects=[], deleted=[handle]))


async def generate_key_pair(context: Context, values: Values) -> Answer:
    """C_GenerateKeyPair: the public object first."""
    mechanism = block_to_mechanism(whole(values[0]), optional_octets(values[1]))
    count, lists = 2 * whole(values[2]), values[3:]
    if count > len(lists):
        raise AtSyntaxError("fewer attributes than announced")
    public, private = values_to_attributes(lists[:count]), values_to_attributes(lists[count:])
    await unlocked_to_make(context, "make the key", private)
    pair = await context.slowly(lambda: context.session.generate_key_pair(mechanism, public, private))
    return _answer(context, *pair)


def _answer(context: Context, *views: ObjectView) -> Answer:
    return objects_answer(context.token.generation, views)
