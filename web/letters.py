"""The words of a letter that leaves the house: what to do, a date and a link for each message; nothing of records."""

from collections.abc import Sequence

from archive.reminding.delivering import Item
from web.words import DEFAULT_LOCALE, mark, translator
from web.words.deadlines import TOPICS, UNKNOWN, stage_words

ONE = mark("Juanku: %(what)s")
MANY = mark("Juanku: %(count)s things to do")
END = mark("You get this because you chose so under “Ways of telling” in Juanku. There is nothing to answer.")


def write(items: Sequence[Item], locale: str | None) -> tuple[str, str]:
    """Return a letter's subject and its text."""
    gettext = translator(locale or DEFAULT_LOCALE)
    if len(items) == 1:
        subject = gettext(ONE, what=gettext(TOPICS.get(items[0].topic, UNKNOWN).name))
    else:
        subject = gettext(MANY, count=len(items))
    parts = []
    for each in items:
        words = TOPICS.get(each.topic, UNKNOWN)
        said = [gettext(words.name), stage_words(each.stage, gettext, late=each.late), str(each.due or "")]
        parts.append("\n".join((" · ".join(filter(None, said)), gettext(words.todo), each.link)))
    return subject, "\n\n".join([*parts, gettext(END)]) + "\n"
