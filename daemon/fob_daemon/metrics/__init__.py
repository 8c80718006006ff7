"""What the daemon counts, and how Prometheus reads it (docs/control-api.md, "Metrics")."""
