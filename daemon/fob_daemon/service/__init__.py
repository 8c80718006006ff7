"""What the service manager gives the daemon: sockets, and a place to report its state."""
