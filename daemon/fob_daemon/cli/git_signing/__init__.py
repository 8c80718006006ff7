"""How git signs with the phone: its settings, the program between git and the phone's agent, and a proof."""
