"""What devices and their back office say to each other, carried over HTTPS; sealed, so that nobody here can read it."""
