"""What the fork server can be asked, beside reading a file as its media type: the words that stand for it."""

IDENTIFY = "identify"

FIND = "find"
"""Identify the file, then parse it as what it is: one fork for both."""

TEXTS = "texts"
"""Read several small files one after another that are plain text by their first words: of each an answer."""

PICTURE = "picture:"
"""Draw one page of a file of the kind that follows."""

ORIGINAL = "original:"
"""Give the picture of one scanned page of a file of the kind that follows, as it was scanned."""

MARK = "mark"
"""Put words across a picture, and a number out of sight."""

MASK = "mask"
"""Black out parts of a picture, and write where it is from below it."""

TRACE = "trace:"
"""Tell what number one page of a file of the kind that follows carries."""

UNPACK = "unpack:"
"""Take the files out of one of the kind that follows."""

WORDS = "words"
"""Tell where the words of one page of a PDF lie."""

TABLE = "table"
"""Return the cells of a spreadsheet."""

WALLS = "walls"

HOSTILE = "hostile:"
"""Begins what only a server started for tests knows."""
