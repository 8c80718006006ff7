"""What operators ask of a data centre that runs."""
