"""The mailer's side of metering on the PC: what is printed."""
