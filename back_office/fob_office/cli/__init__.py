"""The commands of `fob-office`: each opens the office's own database, so none needs it to run."""
