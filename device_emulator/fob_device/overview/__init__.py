"""What a phone shows of itself, as frozen values for whoever draws it. Texts come from computers: draw them as text."""
