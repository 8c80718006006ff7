"""Alembic's scripts; `fob_office.database.migrating` runs them."""
