"""The audit log."""

from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class Event(Base):
    """`who` did `what` with `about` (the name of a server, a serial, ...). Rows are added and never changed."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, init=False)
    time: Mapped[int]
    who: Mapped[str]
    what: Mapped[str]
    about: Mapped[str]
