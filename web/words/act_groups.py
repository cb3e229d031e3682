"""The acts of the log in groups, as a list to choose from offers them."""

from collections.abc import Mapping, Sequence

from web.words import mark, translator
from web.words.acts import ACTS

GROUPS: Mapping[str, tuple[str, ...]] = {
    mark("Signing in and accounts"): ("session", "token", "invitation", "person", "post", "department", "deputy"),
    mark("Rights and secrecy"): ("right", "grant", "level", "distribution", "group", "secrecy"),
    mark("Records"): (
        "record", "edit", "correction", "relation", "double", "list", "label", "excerpt", "number", "move", "vital",
    ),
    mark("Files"): ("file", "attachment"),
    mark("Bringing in and handing in"): ("batch", "handin", "filing", "dossier", "template"),
    mark("Search"): ("search",),
    mark("Papers on shelves"): ("copy", "shelf", "block", "check", "stocktaking"),
    mark("Loans and use"): ("loan", "extension", "circulation", "custody", "outside", "use", "route"),
    mark("Retention"): ("schedule", "event", "matter", "hold", "deadline", "calendar", "renewal"),
    mark("Appraisals"): ("appraisal",),
    mark("Destructions"): ("destruction",),
    mark("Transfers"): ("transfer",),
    mark("Audits"): ("audit",),
    mark("The house"): ("house", "fonds", "scheme", "rule", "place", "subject", "form"),
    mark("The system"): ("system", "job", "log", "store", "backup", "key", "setting", "message", "channel"),
}  # fmt: skip
"""By what a group is called: the nouns of its acts. What has no group stands in the last."""

Options = Sequence[tuple[str, str]]


def act_choices(locale: str, asked: str = "") -> Sequence[tuple[str, Options]]:
    """Return, by group: the filter of all its acts, and each act's; with what is asked for now, where it is neither."""
    gettext = translator(locale)
    known = {noun for nouns in GROUPS.values() for noun in nouns}
    last = list(GROUPS)[-1]
    found: list[tuple[str, Options]] = []
    for words, nouns in GROUPS.items():
        mine = [act for act in ACTS if _noun(act) in nouns or (words == last and _noun(act) not in known)]
        present = dict.fromkeys(_noun(act) for act in mine)
        every = ",".join(f"{noun}." for noun in present)
        options = [(every, gettext("%(group)s: all", group=gettext(words)))] if len(mine) > 1 else []
        found.append((gettext(words), [*options, *((act, gettext(ACTS[act])) for act in mine)]))
    if asked and not any(asked == value for _words, options in found for value, _told in options):
        found.insert(0, (gettext("Asked for"), [(asked, asked)]))
    return found


def _noun(act: str) -> str:
    return act.partition(".")[0]
