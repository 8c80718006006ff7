"""Objects as answer lines (docs/protocol.md, section 4)."""

from collections.abc import Sequence

from fob_device.token.views import ObjectView, Page
from fob_protocol.at.answer import Answer
from fob_protocol.at.attribute_list import attributes_to_values
from fob_protocol.at.values import Values


def page_answer(page: Page) -> Answer:
    """`generation,full,more`, a line for each object, a line `h,0` for each that is gone."""
    head = (page.generation, int(page.full), int(page.more))
    gone = tuple((handle, 0) for handle in page.deleted)
    return Answer((head, *(object_line(view) for view in page.objects), *gone))


def object_line(view: ObjectView) -> Values:
    """`h,generation,attribute list`."""
    return (view.handle, view.generation, *attributes_to_values(view.attributes))


def objects_answer(generation: int, views: Sequence[ObjectView]) -> Answer:
    """The page that answers a command which made or changed `views`."""
    return page_answer(Page(generation, full=False, more=False, objects=list(views), deleted=[]))
