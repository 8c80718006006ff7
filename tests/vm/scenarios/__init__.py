"""One file a scenario, each with a function `run(bench)` that raises what went wrong."""
