"""The tables of the meters' database, held against the log (M23; docs/meter-protocol.md, section 7)."""
