"""The person at the phone's screen: a lock, sheets that ask, a PIN pad. Whoever shows them is another package."""
