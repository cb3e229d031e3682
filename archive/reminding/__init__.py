"""What falls due, whom it concerns, and the messages that tell them."""
