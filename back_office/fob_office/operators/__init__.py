"""People and programs that run the office over HTTP: their tokens."""
