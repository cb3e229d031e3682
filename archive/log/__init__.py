"""The log of all acts: entries, seals, checkpoints, verification."""
