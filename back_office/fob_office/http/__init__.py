"""The office over HTTP: devices' sealed questions, operators' JSON, and health."""
