"""What `fob doctor` looks at, a file per subject."""
