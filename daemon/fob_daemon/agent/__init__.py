"""The agent socket: the keys of the phone for ssh and git, by the OpenSSH agent protocol."""
