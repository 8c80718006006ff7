"""The device as the token of a mailer whose meter a data centre keeps (docs/protocol.md, section 4.4)."""
