"""How long records are secret: periods, their end, and what reviews decide."""
