"""Application `reports`: level 1 sees what there is, 2 reads, 3 files new ones. Paths and bodies are plain text.

list -> a line each, newest first: id, title;  read/<id> -> text;  file, body: title, newline, text -> id
"""

from typing import Final

from sqlalchemy import func, select

from fob_office.gateway.application import (
    BAD_REQUEST,
    CREATED,
    FULL,
    NOT_FOUND,
    OK,
    Application,
    Call,
    Route,
    answer,
)
from fob_office.gateway.tables import FiledReport
from fob_office.secrets.sealing import Place
from fob_protocol.office.entitlements import Used
from fob_protocol.office.limits import TITLE_LIMIT

# Titles of 64 characters of four octets, and ids: so many fit into one answer.
SHOWN: Final = 20
# Of one server, so that nobody fills the disk; one or two more, if they come at the same time, do no harm.
REPORTS_LIMIT: Final = 10_000


def _list(call: Call) -> Used:
    newest = (
        select(FiledReport.id, FiledReport.title)
        .where(FiledReport.server == call.person.server)
        .order_by(FiledReport.filed.desc(), FiledReport.id)
        .limit(SHOWN)
    )
    return answer(OK, "\n".join(f"{report.hex()} {title}" for report, title in call.session.execute(newest)))


def _read(call: Call) -> Used:
    try:
        report = call.session.get(FiledReport, bytes.fromhex(call.rest))
    except ValueError:
        return answer(BAD_REQUEST)
    if report is None or report.server != call.person.server:
        return answer(NOT_FOUND)
    return Used(OK, call.sealer.unseal(_place(report.id), report.text))


def _file(call: Call) -> Used:
    title, _, text = call.body.partition(b"\n")
    try:
        shown = title.decode()
    except UnicodeDecodeError:
        return answer(BAD_REQUEST)
    if not 0 < len(shown) <= TITLE_LIMIT or not shown.isprintable():
        return answer(BAD_REQUEST)
    held = select(func.count()).select_from(FiledReport).where(FiledReport.server == call.person.server)
    if call.session.scalars(held).one() >= REPORTS_LIMIT:
        return answer(FULL)
    call.session.add(
        FiledReport(
            id=call.id, server=call.person.server, author=call.person.name, filed=call.now, title=shown,
            text=call.sealer.seal(_place(call.id), text),
        )
    )  # fmt: skip
    return answer(CREATED, call.id.hex())


def _place(report: bytes) -> Place:
    return Place(FiledReport.__tablename__, "text", report)


REPORTS: Final = Application("reports", {"list": Route(1, _list), "read": Route(2, _read), "file": Route(3, _file)})
