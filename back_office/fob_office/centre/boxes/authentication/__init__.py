"""The authentication box: whether it is the mailer who asks, and for exactly what (M14, M18, M19, M28)."""
