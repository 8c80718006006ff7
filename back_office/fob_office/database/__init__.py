"""Where the office keeps what it knows: SQLite without set-up, or PostgreSQL by its URL."""
