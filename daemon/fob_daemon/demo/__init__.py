"""`fob demo`: an emulated phone, a daemon and a line between them, in a scratch folder that vanishes."""
