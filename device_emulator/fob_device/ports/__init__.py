"""Ports: where a line comes from, chosen by URL (see `url.py`)."""
