"""The PIN pad of a device: PINs are typed there, and never cross the link."""
