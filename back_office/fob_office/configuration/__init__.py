"""What a device asks for is granted, its contents are sent, and its reports are kept (C3 to C11, C19, C24, C28)."""
