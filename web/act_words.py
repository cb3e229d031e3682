"""What the acts of the log are called."""

from collections.abc import Mapping

from web.words import mark, translator

ACTS: Mapping[str, str] = {
    "session.begin": mark("signed in"),
    "session.refused": mark("sign-in refused"),
    "session.end": mark("signed out"),
    "record.create": mark("record catalogued"),
    "record.describe": mark("description changed"),
    "record.file": mark("record filed"),
    "record.read": mark("record opened"),
    "record.custody": mark("custody view opened"),
    "record.see": mark("record asked for"),
    "record.bin": mark("put into the bin"),
    "record.restore": mark("taken out of the bin"),
    "record.set_level": mark("secrecy level changed"),
    "record.name_people": mark("named people changed"),
    "file.add": mark("file taken in"),
    "file.read": mark("file opened"),
    "search.query": mark("searched"),
    "number.skip": mark("number skipped"),
    "log.read": mark("log read"),
}


def act_words(act: str, locale: str) -> str:
    """Return an act in words; one without words shows its own name."""
    return translator(locale)(ACTS[act]) if act in ACTS else act
