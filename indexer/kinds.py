"""Kinds of files: media types, and what the ending of a name claims. Needs no parser."""

from pathlib import PurePosixPath

PDF = "application/pdf"
PLAIN = "text/plain"
UNKNOWN = "application/octet-stream"
EMPTY = "application/x-empty"
ZIP = "application/zip"
OOXML = "application/vnd.openxmlformats-officedocument."
DOCX = OOXML + "wordprocessingml.document"
XLSX = OOXML + "spreadsheetml.sheet"
PPTX = OOXML + "presentationml.presentation"
OPENDOCUMENT = "application/vnd.oasis.opendocument."
EPUB = "application/epub+zip"
OFD = "application/ofd"
JPEG_2000 = "image/jp2"
IMAGES = frozenset(f"image/{name}" for name in ("avif", "bmp", "gif", "jp2", "jpeg", "png", "tiff", "webp", "x-ms-bmp"))
PICTURED = IMAGES | {PDF}
"""Kinds whose pages are shown as pictures."""
DOC = "application/msword"
XLS = "application/vnd.ms-excel"
PPT = "application/vnd.ms-powerpoint"
MSG = "application/vnd.ms-outlook"
WORDPERFECT = "application/vnd.wordperfect"
OLE = "application/x-ole-storage"
LOCKED = "application/encrypted"
"""A package of any Office program that a password or a licence locks as a whole."""

HTML = "text/html"
XHTML = "application/xhtml+xml"
XML = "text/xml"
SVG = "image/svg+xml"
RTF = "text/rtf"
MAIL = "message/rfc822"
MAILBOX = "application/mbox"
IWORK = "application/vnd.apple.iwork"
"""A document of Apple's Pages, Numbers or Keynote since 2013: a zip of parts that no other program reads."""

ENVELOPE = "application/pkcs7-mime"
"""Something signed or sealed with certificates (CMS, S/MIME)."""

TAR = "application/x-tar"
GZIP = "application/gzip"
BZIP2 = "application/x-bzip2"
XZ = "application/x-xz"
SEVENZIP = "application/x-7z-compressed"
TARS = frozenset({TAR, GZIP, BZIP2, XZ})
"""Tar archives, and what is packed the Unix way: a tar or a single file."""

ARCHIVES = TARS | {ZIP, SEVENZIP}
"""Kinds that are nothing but the files in them."""

PLAIN_TOO = ("text/calendar", "text/vcard", "application/x-dif", "application/x-sylk")
"""Kinds with a name of their own whose lines a person reads as they are."""

MARKUP = frozenset({"text/html", "text/xml", "text/rtf", "text/calendar", "text/vcard"})

BY_EXTENSION: dict[str, tuple[str, ...]] = {
    "pdf": (PDF,),
    "txt": (PLAIN,),
    "md": (PLAIN,),
    "csv": (PLAIN,),
    "log": (PLAIN,),
    "docx": (DOCX, LOCKED),
    "xlsx": (XLSX, LOCKED),
    "pptx": (PPTX, LOCKED),
    **dict.fromkeys(("docm", "dotx", "dotm"), (DOCX, LOCKED)),
    **dict.fromkeys(("xlsm", "xlsb", "xltx", "xltm", "xlam"), (XLSX, LOCKED)),
    **dict.fromkeys(("pptm", "potx", "potm", "ppsx", "ppsm"), (PPTX, LOCKED)),
    "doc": (DOC, LOCKED),
    "xls": (XLS, LOCKED),
    "ppt": (PPT, LOCKED),
    "wps": (DOC, DOCX, LOCKED),
    "et": (XLS, XLSX, LOCKED),
    "dps": (PPT, PPTX, LOCKED),
    "msg": (MSG,),
    "wpd": (WORDPERFECT,),
    "ofd": (OFD,),
    "odt": (OPENDOCUMENT + "text",),
    "ods": (OPENDOCUMENT + "spreadsheet",),
    "odp": (OPENDOCUMENT + "presentation",),
    "odg": (OPENDOCUMENT + "graphics",),
    "ott": (OPENDOCUMENT + "text-template",),
    "ots": (OPENDOCUMENT + "spreadsheet-template",),
    "otp": (OPENDOCUMENT + "presentation-template",),
    "epub": (EPUB,),
    **dict.fromkeys(("pages", "numbers"), (IWORK, ZIP)),
    "key": (IWORK, ZIP, PLAIN),  # a presentation, or the key of a server
    "zip": (ZIP,),
    "rtf": (RTF, "application/rtf"),
    "htm": (HTML, XHTML),
    "html": (HTML, XHTML),
    "xhtml": (XHTML, HTML, XML),
    "mht": (MAIL,),
    "mhtml": (MAIL,),
    "xml": (XML, "application/xml", SVG, XHTML),
    "eml": (MAIL, MAILBOX, PLAIN),
    "mbox": (MAILBOX,),
    "p7m": (ENVELOPE, MAIL),
    "p7s": (ENVELOPE,),
    "jpg": ("image/jpeg",),
    "jpeg": ("image/jpeg",),
    "png": ("image/png",),
    "gif": ("image/gif",),
    "bmp": ("image/bmp", "image/x-ms-bmp"),
    "tif": ("image/tiff",),
    "tiff": ("image/tiff",),
    "webp": ("image/webp",),
    **dict.fromkeys(("jp2", "j2k", "jpf", "jpx"), (JPEG_2000,)),
    "avif": ("image/avif",),
    "heic": ("image/heic", "image/heif"),
    "heif": ("image/heif", "image/heic"),
    "svg": (SVG,),
    "mp3": ("audio/mpeg",),
    "wav": ("audio/x-wav", "audio/wav"),
    "mp4": ("video/mp4",),
    "dwg": ("image/vnd.dwg",),
    "7z": (SEVENZIP,),
    "tar": (TAR,),
    "gz": (GZIP,),
    "tgz": (GZIP,),
    "bz2": (BZIP2,),
    "tbz2": (BZIP2,),
    "xz": (XZ,),
    "txz": (XZ,),
    "rar": ("application/x-rar", "application/vnd.rar"),
}


def extension(name: str) -> str:
    """Return the ending of a file's name, in small letters and without its dot."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower().lstrip(".")


def is_plain_text(media_type: str) -> bool:
    """Whether a media type is read as plain text."""
    return media_type.startswith("text/") and media_type not in MARKUP


def is_zip(media_type: str) -> bool:
    """Whether a media type is a zip container underneath."""
    return media_type in {ZIP, OFD, EPUB} or media_type.startswith((OOXML, OPENDOCUMENT))


def mismatch(media_type: str, name: str) -> bool:
    """Whether a file's name claims another kind than its bytes show. A name that claims nothing is never wrong."""
    expected = BY_EXTENSION.get(extension(name))
    return expected is not None and media_type not in expected and media_type != EMPTY
