"""A record's values and labels in words, for pages and for the command line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archive.cataloguing.showing import CustodyView, FileView, RecordView
from archive.errors import InvalidInput
from archive.house.levels import mark as level_mark
from archive.personal import mask
from archive.scheme.fields import FieldDef, FieldKind
from archive.terms import parse_term
from web.aids import Aids
from web.words import listed, mark, minute, named, size, translations, translator
from web.words.faults import explain_reason, field_label, state_words
from web.words.proposals import place_words
from web.words.remarks import file_remarks, remark_words, unscanned_words

MEDIA: Mapping[str, str] = {
    "paper": mark("paper"),
    "electronic": mark("electronic"),
    "both": mark("paper and electronic"),
}

REGISTERED = mark("registration number %(number)s")


def number_words(archive: str | None, registration: str | None, locale: str) -> str:
    """Return an archive number; where there is none, or none for who asks, the registration number, and that it is one.

    Returns "" where there is neither.
    """
    if archive or not registration:
        return archive or ""
    return translator(locale)(REGISTERED, number=registration)


KINDS: Mapping[str, str] = {"dossier": mark("dossier"), "item": mark("item")}

MATERIALS: Mapping[str, str] = {
    "document": mark("document"),
    "book": mark("book or periodical"),
    "manual": mark("equipment manual"),
    "sound": mark("sound recording"),
    "drawing": mark("drawing"),
    "photograph": mark("photograph"),
    "video": mark("video"),
    "email": mark("e-mail"),
    "web_page": mark("web page"),
}

IMPORTANCE: Mapping[int, str] = {1: mark("ordinary"), 2: mark("important"), 3: mark("essential")}

TEXTS: Mapping[str, str] = {
    "text": mark("its text is read"),
    "pending": mark("text is being read"),
    "no_text": mark("no text in it"),
    "failed": mark("its text could not be read"),
}

SCANS: Mapping[tuple[bool, bool], str] = {  # by: all its pages are scans, scans are read here
    (True, True): mark("a scan: its text is read by OCR"),
    (True, False): mark("a scan: its words are not found; install the extra ocr, or Tesseract"),
    (False, True): mark("in part a scan: that text is read by OCR"),
    (False, False): mark("in part a scan: those words are not found; install the extra ocr, or Tesseract"),
}

FORMAT = mark("format %(id)s")
PROPOSED = mark("The date was proposed from the text or the file; check it.")
OFFERED = mark("Proposed for %(field)s: %(value)s (%(place)s)")
JOINED = mark("Joined to %(code)s %(name)s on %(day)s.")


def masked(value: str) -> str:
    """Write a personal number as a screen may show it: its ends at most."""
    shown, found = mask(value, keep_ends=True)
    return shown if found else value[:1] + "*" * max(len(value) - 2, 0) + value[-1:]


def masked_name(value: str) -> str:
    """Write a person's name as a screen may show it: its first sign, however short it is."""
    name = value.strip()
    return name[:1] + "*" * max(len(name) - 1, 1) if name else ""


def field_value(field: FieldDef, value: Any, locale: str) -> str:
    """Write the value of a category's own field: choices by name, personal numbers masked."""
    if field.kind is FieldKind.CHOICE:
        return named(field.choices.get(str(value)), locale) or str(value)
    if field.kind in {FieldKind.PHONE, FieldKind.IDENTITY}:
        return masked(str(value))
    return str(value)


def term_words(code: str, locale: str) -> str:
    """Write a retention term as people say it: permanent, 30 years."""
    try:
        term = parse_term(code)
    except InvalidInput:
        return code
    if term.permanent:
        return translator(locale)(mark("permanent"))
    catalogue = translations(locale)
    if term.years:
        return str(catalogue.ngettext("%(num)d year", "%(num)d years", term.years) % {"num": term.years})
    return str(catalogue.ngettext("%(num)d month", "%(num)d months", term.months) % {"num": term.months})


def importance_words(step: int | None, locale: str) -> str:
    """Return in words how important a record is; nothing where nobody says it."""
    return "" if step is None else translator(locale)(IMPORTANCE[step])


def word(table: Mapping[str, str], value: str, locale: str) -> str:
    """Return what one of this module's tables calls a value; the value itself when it has no word."""
    return translator(locale)(table[value]) if value in table else value


def custody_lines(view: CustodyView, locale: str, zone: str) -> Iterator[str]:
    """Yield what who keeps custody, or an officer, sees of a record, one line a fact."""
    gettext = translator(locale)
    yield from _lines(
        gettext,
        (mark("Number"), view.number),
        (mark("Registration number"), view.registration_number),
        (mark("Secrecy level"), f"{view.level.symbol} {level_mark(view.level, locale)}"),
        (mark("State"), state_words(view.state.value, locale)),
        (mark("Kind"), word(KINDS, view.kind.value, locale)),
        (mark("Medium"), word(MEDIA, view.medium.value, locale)),
        (mark("Pages"), view.pages),
        (mark("Catalogued on"), minute(view.created_at, zone)),
        (mark("Filed on"), minute(view.filed_at, zone)),
        (mark("Term runs out on"), view.due),
        (mark("Lent, back by"), view.back_by),
    )


def record_lines(view: RecordView, locale: str, zone: str, aids: Aids) -> Iterator[str]:
    """Yield what a reader sees of a record, one line a fact, then one a file; labels and values as on its page."""
    gettext = translator(locale)
    yield from _lines(gettext, *_head(view, locale))
    if view.successor:
        facts = {"code": view.successor.code, "name": named(view.successor.names, locale), "day": view.fonds.closed_on}
        yield gettext(JOINED, **facts)
    if view.record.drawn_up_proposed:
        yield gettext(PROPOSED)
    for each in view.proposed:
        if not each.stands:
            facts = {
                "field": field_label(each.field, locale),
                "value": each.found.value,
                "place": place_words(each, locale),
            }
            yield gettext(OFFERED, **facts)
    own = [(field.label(locale), field_value(field, value, locale)) for field, value in view.fields]
    yield from (_line(gettext, label, value) for label, value in own)
    yield from _lines(gettext, *_tail(view, locale, zone))
    for file in view.files:
        yield _line(gettext, _name(file, view.files), ", ".join(file_words(file, locale, aids)))


def _head(view: RecordView, locale: str) -> Iterator[tuple[str, Any]]:
    row = view.record
    yield mark("Title"), row.title
    yield mark("Archive number"), row.archive_number
    yield mark("Registration number"), row.registration_number
    yield mark("Secrecy level"), f"{view.level.symbol} {level_mark(view.level, locale)}"
    yield mark("State"), state_words(row.state.value, locale)
    yield mark("Need-to-know group"), view.group and named(view.group.names, locale)
    yield mark("Fonds"), f"{view.fonds.code} {named(view.fonds.names, locale)}"
    yield mark("Category"), f"{view.category.code} {named(view.category.names, locale)}"
    yield mark("Drawn up on"), row.drawn_up


def _tail(view: RecordView, locale: str, zone: str) -> Iterator[tuple[str, Any]]:
    row = view.record
    yield mark("Responsible person"), row.responsible
    yield mark("Department"), view.department and named(view.department.names, locale)
    place = " / ".join(named(names, locale) for names in view.place_names)
    yield mark("Place"), place and f"{place} {(row.place_path or '').rstrip('/')}"
    yield mark("Subjects"), listed(view.subjects, locale)
    yield mark("Named people"), listed((person.name for person in view.named), locale)
    yield mark("Retention period"), term_words(row.term, locale)
    yield mark("Vital, review on"), row.vital_review and row.vital_review.isoformat()
    yield mark("Medium"), word(MEDIA, row.medium.value, locale)
    yield mark("Kind of material"), word(MATERIALS, row.material, locale)
    yield mark("Pages"), row.pages
    yield mark("Keywords"), "，".join(row.keywords)
    yield mark("Importance"), importance_words(row.importance or view.category.importance, locale)
    yield mark("Notes"), row.notes
    yield mark("Catalogued on"), minute(row.created_at, zone)
    yield mark("Filed on"), minute(row.filed_at, zone)


def file_words(file: FileView, locale: str, aids: Aids) -> Iterator[str]:
    """Yield what is to be said of a file: size, pages, state, text, why it was put aside, remarks, doubles."""
    catalogue, gettext = translations(locale), translator(locale)
    if file.size is not None:
        yield size(file.size)
    if file.pages:
        yield catalogue.ngettext("%(num)d page", "%(num)d pages", file.pages) % {"num": file.pages}
    if file.pronom:
        yield gettext(FORMAT, id=file.pronom)
    if file.state.value == "stored":
        yield scan_words(file, locale, aids) or gettext(TEXTS[file.text_state.value])
    else:
        yield state_words(file.state.value, locale)
    if file.reason:
        yield " ".join(explain_reason(file.reason, locale))
    yield from (remark_words(each, locale) for each in file_remarks(file, aids))
    if unscanned := unscanned_of(file, aids, locale):
        yield unscanned
    if file.doubles:
        yield gettext(mark("the same bytes lie in other records: %(count)s"), count=file.doubles)


def _name(file: FileView, files: Sequence[FileView]) -> str:
    """Return a file's name; that of one that was taken out of another with the names of what it lay in."""
    steps, known = [file.path or file.name], {each.content_id: each for each in files}
    while file.inside is not None and file.inside in known:
        file = known[file.inside]
        steps.insert(0, file.path or file.name)
    return " / ".join(steps)


def unscanned_of(file: FileView, aids: Aids, locale: str) -> str:
    """Say that no virus scanner has looked at a file; "" when one has, or there is nothing to look at."""
    if not file.size or file.state.value == "receiving" or file.role.value == "rendition":
        return ""
    pending = file.text_state.value == "pending"
    return unscanned_words(virus=file.virus, scanned_with=file.scanned_with, pending=pending, aids=aids, locale=locale)


def scan_words(file: FileView, locale: str, aids: Aids) -> str:
    """Say that pages of a file are scans which wait to be read; "" when none does."""
    if not file.scans_waiting:
        return ""
    return str(translator(locale)(SCANS[file.scans >= (file.pages or 1), aids.ocr]))


def _lines(gettext: Any, *facts: tuple[str, Any]) -> Iterator[str]:
    return (_line(gettext, gettext(label), value) for label, value in facts if value not in {None, ""})


def _line(gettext: Any, label: str, value: Any) -> str:
    return str(gettext(mark("%(field)s: %(fault)s"), field=label, fault=value))
