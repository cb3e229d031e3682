"""What a house is made of: its fonds, levels, places, departments, and its first act."""
