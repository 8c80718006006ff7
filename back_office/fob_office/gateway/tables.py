"""What the applications that come with Fob keep."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class FiledReport(Base):
    """Of the application `reports` at one server. `text` is sealed."""

    __tablename__ = "filed_reports"
    __table_args__ = (Index("ix_filed_reports_server_filed", "server", "filed"),)

    id: Mapped[bytes] = mapped_column(primary_key=True)
    server: Mapped[str] = mapped_column(ForeignKey("servers.name"))
    author: Mapped[str]
    filed: Mapped[int]
    title: Mapped[str]
    text: Mapped[bytes]
