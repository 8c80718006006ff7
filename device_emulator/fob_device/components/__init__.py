"""What a device runs beside its own program: components in sets, installed so that a power cut harms nothing."""
