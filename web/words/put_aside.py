"""Words of why a file was put aside, or has no text."""

from collections.abc import Mapping

from web.words import mark

REASONS: Mapping[str, tuple[str, str]] = {
    "empty": (mark("the file is empty"), mark("Check the file on your side and send it again.")),
    "encrypted": (
        mark("the file is locked with a password"),
        mark(
            "Take the password off and send the file again, or have an archivist give the password; "
            "the locked file is kept until then."
        ),
    ),
    "sealed": (
        mark("the file is sealed by a certificate or a licence; no password opens it"),
        mark("Ask someone who can open it for a copy without the seal, and replace this one; or keep it as it is."),
    ),
    "broken": (
        mark("the file is damaged and cannot be read"),
        mark("Open it on your side: if it is whole there, save it anew and send it again."),
    ),
    "infected": (
        mark("a virus was found in the file"),
        mark(
            "It is not opened here. Ask whoever sent it for a clean one, then take this one off; "
            "or keep it sealed, unread, if it must stay as evidence."
        ),
    ),
    "bomb": (
        mark("the file unpacks to far more than its size, or holds too many or too deep parts"),
        mark("Do not open it if you do not know who made it. Send a plain copy, or its files in smaller packs."),
    ),
    "climbs": (
        mark("names inside the file lead out of its folder"),
        mark("Unpacked carelessly it would write over other files. Ask whoever made it to pack its files anew."),
    ),
    "part": (
        mark("the file is one part of an archive that was split into several"),
        mark(
            "Alone it cannot be opened. Have all parts together unpacked on your side, and send the files in it, "
            "or pack them anew as one archive."
        ),
    ),
    "cut": (
        mark("the file, or one of its pages, is very long: only the beginning was read"),
        mark("Search does not find what comes after; split the file if that must be found."),
    ),
    "too_large": (
        mark("there is more in the file than is read"),
        mark("The file is kept and can be downloaded; split it if its text must be found."),
    ),
    "time": (
        mark("reading the file took too long"),
        mark("The file is kept and can be downloaded; save it anew or split it if its text must be found."),
    ),
    "memory": (
        mark("reading the file took too much memory"),
        mark("The file is kept and can be downloaded; save it anew or split it if its text must be found."),
    ),
    "crashed": (
        mark("the file broke the reader"),
        mark("The file is kept and can be downloaded; tell your administrator if its text must be found."),
    ),
    "unsupported": (
        mark("this kind of file is kept, but its text is not read"),
        mark("Give title and keywords that let it be found."),
    ),
    "damaged": (
        mark("the stored bytes are not what was stored"),
        mark("Nothing of them is shown. Tell your administrator: the file can be mended from a copy."),
    ),
    "unreadable": (
        mark("the file cannot be read where it lies"),
        mark("Look whether it is still there and may be read, then bring it in again."),
    ),
    "key_destroyed": (mark("its key is destroyed"), mark("Nothing of it can be read any more.")),
}
"""Why a file was put aside or has no text, and what to do."""
