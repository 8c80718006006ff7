"""The database server: it alone opens the meters' database, and whoever reads of it trusts nothing that is in it."""
