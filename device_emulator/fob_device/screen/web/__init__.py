"""The screen as a page for the browser of the same machine: rendered here, with a few lines of script to keep it fresh.

docs/device.md has what it shows, docs/threat-model.md who must not get in.
"""
