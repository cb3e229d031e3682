"""What a person types, as a tree, and the tree as text."""
