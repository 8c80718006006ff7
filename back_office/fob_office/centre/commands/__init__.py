"""What the processes of the data centre ask of one another; one file for each kind that answers."""
