"""Metering: what mailer, data centre, post and witnesses say to each other (docs/meter-protocol.md)."""
