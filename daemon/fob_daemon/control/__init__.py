"""The control socket: HTTP and JSON for `fob`, for scripts and for curl (docs/control-api.md)."""
