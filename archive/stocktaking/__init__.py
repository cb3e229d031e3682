"""Stock-taking (盘点): what should lie at a place against what people scan there, and what follows from it."""
