"""The device's copies of programs: held, measured, validated, and admitted or refused (docs/integrity-protocol.md)."""
