"""The link to a device: transports, connecting and reconnecting, requests and their answers."""
