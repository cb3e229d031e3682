"""A record's files go out: as downloads, as pictures with their words, as marked copies."""
