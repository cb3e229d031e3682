"""What is kept, where it lies, who may do what, and what happened."""
