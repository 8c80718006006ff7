"""The operator's page: HTML at /operator, for whoever has an operator's token."""
