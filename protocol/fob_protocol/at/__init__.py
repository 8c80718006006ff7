"""AT commands: values, command lines, answers, and the V.250 console of command state (docs, sections 1 and 3.1)."""
