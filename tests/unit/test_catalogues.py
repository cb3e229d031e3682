"""The words of a language are read as gettext's own tools read them."""

from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from web.words import LOCALES, TRANSLATIONS
from web.words.catalogues import read

HEAD = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'


def by_babel(path: Path, locale: str) -> Translations:
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=locale))
    compiled.seek(0)
    return Translations(compiled)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_catalogue_of_ours_is_read_as_babel_reads_it(locale: str) -> None:
    path = TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po"
    ours, theirs = read(path), by_babel(path, locale)
    known = theirs._catalog
    assert dict(ours.said) == {key: text for key, text in known.items() if key and isinstance(key, str)}
    counted = {(one, form): text for one, texts in ours.counted.items() for form, text in enumerate(texts)}
    assert counted == {key: text for key, text in known.items() if isinstance(key, tuple)}
    assert [ours.form(number) for number in range(200)] == [theirs.plural(number) for number in range(200)]


def test_what_is_odd_in_a_catalogue_is_read_as_babel_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "messages.po"
    path.write_text(
        HEAD + '#: here\n#, fuzzy, python-format\nmsgid "%(n)s unsure"\nmsgstr "no"\n\n'
        'msgid "empty"\nmsgstr ""\n\n#, python-format\nmsgid ""\n"two "\n"lines"\n'
        'msgstr ""\n"a\\tb \\"c\\"\\n"\n"d\\\\n"\n\n'
        'msgid "%(num)d page"\nmsgid_plural "%(num)d pages"\nmsgstr[0] "one page"\nmsgstr[1] ""\n\n'
        '#~ msgid "gone"\n#~ msgstr "old"\n\nmsgid "last"\nmsgstr "no line after it"'
    )
    ours, theirs = read(path), by_babel(path, "en")
    for message in ("%(n)s unsure", "empty", "two lines", "gone", "last", "never heard of"):
        assert ours.gettext(message) == theirs.gettext(message)
    assert ours.gettext("two lines") == 'a\tb "c"\nd\\n'
    for number in (0, 1, 2):
        assert ours.ngettext("%(num)d page", "%(num)d pages", number) == theirs.ngettext(
            "%(num)d page", "%(num)d pages", number
        )
        assert ours.ngettext("one thing", "things", number) == theirs.ngettext("one thing", "things", number)
