"""Pages of papers: handed in, arranged in dossiers, copied, labelled, shelved, checked and counted."""
