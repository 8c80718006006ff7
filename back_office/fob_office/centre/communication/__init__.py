"""Communication servers: between the office's web workers and function servers; they hold no key but their own (M2)."""
