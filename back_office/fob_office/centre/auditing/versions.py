"""Of which version the tables are: of this, the log says nothing, and the program that runs everything."""

from fob_office.centre.auditing.asking import Database, pages_above
from fob_office.centre.auditing.findings import NOTHING, ROW, Findings, key_in_words
from fob_office.centre.database.keeping import METERS
from fob_office.centre.database.tables import VERSIONS


async def look_at_versions(ask: Database, findings: Findings) -> int:
    """How many rows there are; there is one for each line of migrations. Raises BusRefusedError."""
    there = [row async for rows in pages_above(ask, VERSIONS, None) for row in rows]
    due = {(revision,) for revision in METERS.script.get_heads()}
    for missing in due.difference(there):
        findings.add(VERSIONS.name, key_in_words(missing), "", ROW, NOTHING)
    for key in there:
        if key not in due:
            findings.add(VERSIONS.name, key_in_words(key), "", NOTHING, ROW)
    return len(there)
