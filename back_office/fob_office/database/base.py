"""What all tables have in common. A role's `tables.py` declares its own; names of tables are plural nouns."""

from typing import Final

from sqlalchemy import BigInteger, Integer, LargeBinary, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass

# Constraints have names, so that migrations can change them.
_NAMES: Final = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# 64 bits in PostgreSQL; SQLite's have them anyway, and it counts up by itself only in what is called INTEGER.
LongInteger: Final = BigInteger().with_variant(Integer, "sqlite")


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True, repr=False):
    """A row. Times are seconds since 1970. It shows none of its columns: some are secrets."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {int: LongInteger, str: Text(), bytes: LargeBinary()}  # noqa: RUF012 - SQLAlchemy's name
