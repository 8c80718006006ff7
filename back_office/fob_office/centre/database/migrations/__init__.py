"""Alembic's scripts of the meters' database; `fob_office.database.migrating` runs them."""
