"""Rollouts: a release comes to many devices in groups, and stops before it has harmed many."""
