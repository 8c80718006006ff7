"""Copies of programs: known one by one, measured, admitted or refused (docs/integrity-protocol.md). No I/O."""
