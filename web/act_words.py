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
    "log.verify": mark("log checked"),
    "record.purge": mark("cleared out of the bin"),
    "person.add": mark("account added"),
    "person.active": mark("account opened or closed"),
    "person.role": mark("roles changed"),
    "person.clearance": mark("clearance changed"),
    "person.password": mark("password changed"),
    "person.unlock": mark("account unlocked"),
    "person.manage": mark("managing accounts"),
    "post.assign": mark("post given"),
    "post.end": mark("post ended"),
    "grant.add": mark("grant given"),
    "grant.remove": mark("grant taken away"),
    "right.manage": mark("managing rights"),
    "custody.add": mark("custody given"),
    "custody.remove": mark("custody taken away"),
    "distribution.add": mark("distribution widened"),
    "distribution.remove": mark("distribution narrowed"),
    "level.manage": mark("managing levels"),
    "place.add": mark("place added"),
    "place.change": mark("place changed"),
    "scheme.install": mark("scheme brought in"),
    "scheme.add": mark("category added"),
    "scheme.add_rule": mark("number rule added"),
    "scheme.change": mark("category changed"),
    "scheme.close": mark("category closed"),
    "scheme.remove": mark("category removed"),
    "scheme.manage": mark("managing the scheme"),
    "system.manage": mark("managing the system"),
    "job.see": mark("jobs looked at"),
}


def act_words(act: str, locale: str) -> str:
    """Return an act in words; one without words shows its own name."""
    return translator(locale)(ACTS[act]) if act in ACTS else act
