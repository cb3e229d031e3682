"""The ways by which messages leave the house. Each goes where the house's settings say, and nowhere else."""
