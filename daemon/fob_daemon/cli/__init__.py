"""The program `fob` (docs/cli.md). It talks to the daemon's control socket and loads nothing heavy."""
