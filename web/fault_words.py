"""Words of the table in ``web.faults``: the faults that fields may have, and why a file was put aside."""

from collections.abc import Mapping

from web.destruction_words import FAULTS as DESTRUCTION_FAULTS
from web.form_faults import FORM_FAULTS
from web.leaving_faults import LEAVING_FAULTS, LEAVING_STATES
from web.loan_words import FAULTS as LOAN_FAULTS
from web.loan_words import STATES as LOAN_STATES
from web.shelf_words import FAULTS as SHELF_FAULTS
from web.words import mark

FAULTS: Mapping[str, str] = {
    **FORM_FAULTS,
    **LEAVING_FAULTS,
    **LOAN_FAULTS,
    **DESTRUCTION_FAULTS,
    **SHELF_FAULTS,
    "not_an_address_here": mark("is not one address that messages can be sent to"),
    "withdrawn": mark("was withdrawn: note a new one"),
    "taken": mark("was used already"),
    "too_many": mark("at most %(limit)s at once"),
    "number_or_title": mark("a number or a title is needed"),
    "list_is_fixed": mark("the list is fixed since it was handed in: mend the lines that came back"),
    "no_lines": mark("there is none: list what is handed in first"),
    "lines_wait": mark("%(count)s are still to be checked"),
    "no_draft": mark("is no draft any more"),
    "above_the_batch": mark("is of a higher level than the batch: hand it in with a batch of its own"),
    "too_many_moves": mark("%(limit)s moves of yours are kept; forget one first"),
    "too_many_edits": mark("%(limit)s edits of yours are kept; forget one first"),
    "title_form": mark("does not say what it is about: write it as 关于……的……, for example 关于做好防汛工作的通知"),
    "template_at": mark("is not as a template must be, here: %(where)s"),
    "not_in_dossier": mark("does not lie in this dossier"),
    "before_seen": mark("needs the day on which the original was seen, and does not lie before it"),
    "not_yet_come": mark("lies in the future"),
    "belongs_elsewhere": mark("belongs to another enterprise already, and to one at a time"),
    "no_person": mark("is no person: choose a subject that has a name"),
    "not_such_dossier": mark("is no dossier of the kind that is asked for here"),
    "required": mark("is needed"),
    "not_the_code": mark("is not the code: type %(wanted)s"),
    "differs": mark("is not the same as the first"),
    "whole_day": mark("needs a whole day: year, month and day"),
    "account_closed": mark("this account is closed: open it again first"),
    "column_needed": mark("is needed: say which column it is"),
    "other_fonds": mark("belongs to another fonds; a record stays in its own"),
    "same_place": mark("names the place where the house is already"),
    "no_setting": mark("line %(line)s is no setting; each is JUANKU_NAME=value"),
    "same_category": mark("is where it lies already"),
    "no_rows": mark("holds no rows below its headers"),
    "too_many_rows": mark("holds more than %(limit)s rows; bring it in by parts"),
    "too_many_sheets": mark("%(limit)s spreadsheets of yours are under way; forget one first"),
    "not_a_sheet": mark("is no spreadsheet that can be read (xlsx, xls, ods, csv)"),
    "sheet_locked": mark("is locked with a password; save it without one"),
    "not_yours": mark("you may not catalogue this here: look at level, place and department"),
    "not_as_asked": mark("is not written as this field asks for"),
    "not_like_example": mark("is not written as this field asks for; for example: %(example)s"),
    "before_other": mark("lies before %(date)s, which it may not"),
    "bad_pattern": mark("is no pattern of the RE2 language"),
    "bad_text": mark("must be a text of 1 to 200 characters"),
    "of_another_kind": mark("does not go with this kind of field"),
    "does_not_match": mark("does not match the field's own pattern"),
    "nothing_changed": mark("nothing differs from what stands there"),
    "wrong_password": mark("is not right; nothing was changed"),
    "not_scanned": mark("is no scan whose pages were all read by OCR"),
    "infected": mark(
        "cannot be used: a virus was found in the file (%(virus)s). It was put aside unread; ask for a clean one"
    ),
    "lock_not_opened": mark("cannot help: this kind of lock is not opened here, or the file is damaged"),
    "not_kept": mark("is longer or larger than can be kept, or holds a sign that no text may hold"),
    "too_long": mark("is too long (at most %(limit)s)"),
    "unknown": mark("is not known here"),
    "wrong_type": mark("is not of the type that belongs here"),
    "bad_json": mark("is not JSON that can be read"),
    "bad_key": mark("is at most %(limit)s printable ASCII characters"),
    "bad_offset": mark("is not a multiple of %(multiple)s"),
    "unknown_value": mark("is not known here: %(value)s"),
    "unknown_field": mark("there is no such field"),
    "unknown_field_named": mark("there is no such field: %(name)s"),
    "unknown_choice": mark("is none of the choices: %(value)s"),
    "unknown_level": mark("there is no such level: %(level)s"),
    "unknown_rule": mark("there is no such number rule"),
    "unknown_format": mark("is not a format that this program reads (it reads: %(known)s)"),
    "unknown_key": mark("is not a key that stands here"),
    "unknown_kind": mark("is not a known kind: %(value)s (there are: %(known)s)"),
    "unknown_filter": mark("there is no such filter: %(name)s"),
    "bad_filter": mark("the filter %(name)s cannot be: %(value)s"),
    "bad_date": mark("is not a day that exists or can be read: %(text)s. Write 2024-3-5, 2024-03 or 2024"),
    "nothing_due": mark("nothing is due that fits and is on no other list: widen the choice"),
    "nobody": mark("nobody who reads records is called so: %(value)s"),
    "too_few": mark("a panel has %(least)s people at least"),
    "only_to_keep": mark("a day is given only to keep it on"),
    "not_ahead": mark("must be a day after today and not after %(last)s"),
    "bad_code": mark("a code holds letters, digits and marks without spaces"),
    "bad_name": mark("is not a name of at most 200 characters in one of the three languages"),
    "bad_number": mark("is not a number that can be read"),
    "bad_term": mark("is not a retention period: %(term)s. Write Y for permanent or D30 for 30 years"),
    "bad_level": mark("is not a level of this house"),
    "bad_mark": mark("a mark is one or two capital letters"),
    "mark_taken": mark("this mark is in use already"),
    "bad_prefix": mark("a reference code must not begin with %(prefix)s"),
    "bad_identity": mark("is not an identity number: %(reason)s"),
    "bad_phone": mark("is not a telephone number: %(reason)s"),
    "bad_login": mark("a sign-in name has at most 64 letters, digits and marks, without spaces or colons"),
    "before_since": mark("ends before it begins"),
    "belongs_to_subject": mark("is personal: it belongs to a subject, not to a place"),
    "choices_missing": mark("a choice needs its choices"),
    "choices_unwanted": mark("only a choice has choices"),
    "closed": mark("this category is closed: %(category)s. Choose an open one"),
    "not_a_file": mark("is no plain file (a link, a pipe or a device): %(name)s"),
    "empty_file": mark("the file is empty: %(name)s"),
    "exactly_one_of": mark("give exactly one of: %(choices)s"),
    "names_missing": mark("needs a name, in simplified Chinese at least"),
    "needed_by_number": mark("is needed by the number rule"),
    "no_number_rule": mark("this category has no number rule yet: %(category)s"),
    "not_numbered": mark("the dossier has no number yet: file it first"),
    "not_a_list": mark("must be a list"),
    "not_a_mapping": mark("must be a group of names and values"),
    "not_a_number": mark("is not a number"),
    "not_a_pair": mark("must be written as FIELD=VALUE"),
    "not_yaml": mark("is not a YAML text that can be read"),
    "not_yes_or_no": mark("must be true or false"),
    "officers_exclude": mark("the three officers exclude each other and every other role"),
    "officers_read_nothing": mark("an officer reads no records, so gets no clearance and no grant"),
    "nobody_reads": mark(
        "nobody named could read it: name someone first who is cleared for its level (an archivist, until it is filed)"
    ),
    "only_narrowed_once_filed": mark("once filed, a record leaves a group only by an approved release"),
    "cannot_take_over": mark("is the same fonds or is closed; another that is open must be named"),
    "only_raised_once_filed": mark("once filed, a level is only raised; lowering needs an approval"),
    "out_of_range": mark("is out of range (%(low)s to %(high)s)"),
    "password_is_name": mark("must not be the name"),
    "password_too_common": mark("is among the best known passwords"),
    "password_too_long": mark("is too long (at most %(longest)s characters)"),
    "password_too_short": mark("is too short (at least %(shortest)s characters)"),
    "repeated": mark("stands here twice"),
    "rule_bad_field": mark("a field cannot be read at place %(at)s"),
    "rule_bad_separator": mark("what stands between fields at place %(at)s is not allowed"),
    "rule_bad_width": mark("the width at place %(at)s is not a number that fits"),
    "rule_differs": mark("a rule of this code stands already, and differs: %(code)s"),
    "rule_empty": mark("the rule is empty"),
    "rule_empty_brackets": mark("the brackets at place %(at)s hold no field"),
    "rule_no_field": mark("the rule holds no field"),
    "rule_no_mark": mark("the level's mark must stand before the serial, or two sequences would give one number"),
    "rule_no_serial": mark("the rule has no serial, so it cannot give each record a number of its own"),
    "rule_personal_field": mark("a number never holds what names a person (place %(at)s)"),
    "rule_repeated_field": mark("a field stands twice (place %(at)s)"),
    "rule_serial_touches": mark("the serial touches a digit or a code: put a separator between (place %(at)s)"),
    "rule_too_long": mark("the rule is too long (at most %(limit)s)"),
    "rule_unclosed": mark("a bracket or brace that begins at place %(at)s is not closed"),
    "rule_unknown_field": mark("there is no field of this name: %(name)s (place %(at)s)"),
    "too_wide": mark("is longer than the number has room for: %(value)s (%(width)s)"),
    "wrong_length": mark("the piece has %(length)s bytes and must have %(expected)s"),
    "wrong_step": mark("this kind of place does not lie there"),
    "no_such_day": mark("there is no such day: %(text)s"),
    "bad_range": mark("the range cannot be read. Write date:2024-03..2024-05, either end may be left out"),
    "empty_group": mark("the brackets are empty"),
    "field_without_value": mark("what should be found in the field %(name)s is missing"),
    "lone_operator": mark("the operator has nothing on one side"),
    "nothing_to_find": mark("there is nothing to find: only punctuation"),
    "nothing_to_negate": mark("what should not be found is missing"),
    "prefix_too_short": mark("the beginning of the word is too short: write more before the *"),
    "too_deep": mark("lies too deep: make it simpler, or narrow the search"),
    "too_many_terms": mark("has too many words: take some away"),
    "unclosed_group": mark("the bracket is not closed"),
    "department_closed": mark("this department is closed: %(department)s. Choose one that stands"),
    "fonds_closed": mark("this fonds is closed: %(fonds)s"),
    "needs_fonds": mark("must name its fonds first, as in H001:%(value)s"),
    "no_place_above": mark("the place above %(value)s is not there yet: add it first"),
    "no_such_queue": mark("there is no such queue (%(known)s): %(value)s"),
    "one_index_writer": mark("the embedded search index has one writer, the worker of juanku serve"),
    "no_such_scheme": mark("is neither a file nor a scheme that ships (%(known)s): %(value)s"),
    "not_distributed": mark("is not distributed so: %(value)s"),
    "not_granted": mark("%(value)s has no such grant"),
    "stands_differently": mark("stands already, but not as given here; nothing was changed"),
    "merged": mark("was merged; use the one that stands for it: %(into)s"),
    "same_subject": mark("is the very same subject"),
    "no_dossier": mark("is not a dossier"),
    "no_such_number": mark("there is nothing of this number that you can see"),
    "no_item": mark("holds a dossier, and only items lie in dossiers: %(title)s"),
    "other_fonds_dossier": mark("is of another fonds than the dossier: %(title)s"),
    "lies_elsewhere": mark("lies in another dossier already: %(title)s. Take it out there, or move it from there"),
    "not_the_contents": mark("are not the items that you see in the dossier, each once"),
    "first_of_dossier": mark("a dossier is not split at its first item"),
    "same_shelf": mark("is the very same place"),
    "same_dossier": mark("is the very same dossier"),
    "filed_order": mark(
        "the dossier is filed: what is filed in it keeps its order and place until a correction is approved; new items "
        "come behind it"
    ),
    "above_filed_dossier": mark(
        "a dossier is at least at the level of what it holds, and a filed one is raised by the secrecy officer: have "
        "that done first"
    ),
    "below_contents": mark("a dossier is at least at the level of what it holds: take the higher items out first"),
    "tick_one": mark("tick exactly one"),
    "tick_some": mark("tick some first"),
    "same_record": mark("is the record itself"),
    "not_lower": mark("what is derived at a lower level must be at a lower level than its source"),
    "other_kind": mark("must be of the same fonds and the same kind"),
    "not_linked": mark("not all of these hang on the subject"),
    "import_running": mark("this very import is running already: wait until it has ended"),
    "wrong_depth": mark("has one to %(limit)s steps, divided by /: %(value)s"),
    "unclosed_quote": mark("the quotation mark is not closed"),
    "unopened_group": mark("the bracket was not opened"),
}
"""What is wrong with a field and how to mend it; it follows the field's name and a colon."""

NAMING: Mapping[str, tuple[str, str]] = {
    "unknown": ("unknown_value", "value"),
    "unknown_field": ("unknown_field_named", "name"),
}
"""Codes with words that name the thing, and the fact they need: used where the field itself does not name it."""

REASONS: Mapping[str, tuple[str, str]] = {
    "empty": (mark("the file is empty"), mark("Check the file on your side and send it again.")),
    "encrypted": (
        mark("the file is locked with a password"),
        mark(
            "Take the password off and send the file again, or have an archivist give the password; "
            "the locked file is kept until then."
        ),
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
        mark("the file unpacks to far more than its size"),
        mark("Do not open it. Ask whoever made it, and send a plain copy."),
    ),
    "cut": (
        mark("the file is very large: only its beginning was read"),
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

SETTING_REASONS: Mapping[str, str] = {
    "driver_missing": mark("its driver is not installed; install the extra house"),
    "needs_tls": mark("its words would go from one machine to another in plain; use the form with TLS"),
    "secret_in_address": mark("it holds a secret; give that by its own variable, best as a file"),
    "too_short": mark("it has fewer than 16 signs, or signs beyond ASCII; make one by: openssl rand -hex 24"),
    "other_ring": mark("it is another ring, or an older copy; copy the house's ring there as it is now"),
    "not_utf8": mark("it does not keep its texts in UTF-8; make a database with the encoding UTF8"),
}
"""Why a setting cannot be used, where its code alone would not tell what to do."""

NUMBER_REASONS: Mapping[str, str] = {
    "bad_sign": mark("it holds a sign that does not belong there"),
    "bad_length": mark("it is too long or too short"),
    "bad_region": mark("its first digits name no region"),
    "bad_date": mark("the birthday in it does not exist"),
    "bad_prefix": mark("no number begins like this"),
    "wrong_check_digit": mark("the check digit is wrong; compare it with the paper"),
}
"""Why a personal number is refused; the number itself is never repeated."""

WAITING: Mapping[str, str] = {
    "not_found": mark("There is nothing here that you can see."),
    "not_allowed": mark("You may see this record, but not file it: an archivist does."),
    "filed_before": mark("It was filed before; its number stays as given."),
    "receiving": mark("A file is still coming in. Wait until it is whole, or give the upload up."),
    "quarantined": mark("A file was put aside. See what is wrong with it, and send a good one."),
    "sent_back": mark("It was sent back: it is filed once it is handed in again."),
    "changed_since": mark("Someone changed it since the version that you name."),
    "fields_missing": mark("It still needs: %(fields)s."),
    "no_number_rule": mark("Its category has no number rule yet: give it one, then file again"),
    "needed_by_number": mark("Its number needs: %(fields)s"),
    "too_wide": mark("Too long for its place in the number: %(fields)s"),
    "review": mark("Look at what is proposed for it, then file it."),
}
"""Why a record could not be filed yet."""

PARTS: Mapping[str, str] = {
    "typesetter": mark("the typesetter of forms"),
    "database": mark("the database"),
    "store": mark("the object store"),
    "search": mark("search"),
    "index": mark("the search index"),
    "virus_scanner": mark("the virus scanner"),
    "extractor": mark("text extraction"),
    "broker": mark("the broker"),
    "ring": mark("the key ring"),
    "index_updating": mark("search, while it is being updated"),
    "index_lost": mark("search, until its index is built anew (juanku index rebuild)"),
    "log": mark("the log"),
    "disk": mark("the disk"),
}

STATES: Mapping[str, str] = {
    **LOAN_STATES,
    "questioned": mark("waits for an answer"),
    "provisional": mark("provisional"),
    "filed": mark("filed"),
    "binned": mark("in the bin"),
    "destroyed": mark("destroyed"),
    "receiving": mark("still coming in"),
    "stored": mark("taken in"),
    "quarantined": mark("put aside"),
    "text": mark("text found"),
    "no_text": mark("no text in it"),
    "waiting": mark("waiting"),
    "failed": mark("failed"),
    "asked": mark("waits for a decision"),
    "open": mark("being listed"),
    "handed_in": mark("handed in, being checked"),
    "returned": mark("lines came back"),
    "checked": mark("checked, to be signed"),
    "signed": mark("signed by both"),
    "listed": mark("listed"),
    "passed": mark("passed"),
    "approved": mark("approved"),
    "refused": mark("refused"),
    "withdrawn": mark("taken back"),
    "draft": mark("being drawn up"),
    "opening": mark("is being opened"),
    "closing": mark("is being closed"),
    "withdrawing": mark("is being withdrawn"),
    "closed": mark("closed, fixed"),
    "settled": mark("settled"),
    **LEAVING_STATES,
    "no_archive": mark("there is no archive here yet"),
    "moving": mark("it is being moved already"),
    "other_version": mark("the archive is of another version"),
}

STANDING: Mapping[str, str] = {
    "archive": mark("an archive here"),
    "secrets": mark("a house's secrets in this folder"),
    "folder": mark("something in the folder"),
    "store": mark("something else in the store"),
    "login": mark("an account of this name"),
    "token": mark("a token of this name"),
    "fonds": mark("a fonds of this code"),
    "category": mark("a category of this code in the fonds"),
    "number_rule": mark("a number rule of this code"),
    "schedule": mark("a schedule of this code"),
    "department": mark("a department of this code"),
    "post": mark("a post of this code"),
    "place_code": mark("a place of this code at this step"),
    "stocktaking": mark("a stock-taking of this place that goes on"),
    "block": mark("a mark of this kind"),
    "shelf_code": mark("a place of this code here"),
    "archive_number": mark("this archive number in the fonds"),
    "distribution": mark("this distribution of the level"),
    "levels": mark("a set of levels in this house"),
}
"""What a new thing may run into: it is there, and nobody changed it."""

LIMITS: Mapping[str, str] = {
    "pages": mark("pages"),
    "pages_a_day": mark("pages a day"),
    "copies": mark("copies"),
}
"""What a loan's limit counts."""

USED: Mapping[str, str] = {
    "place_in_use": mark("this place"),
    "shelf_in_use": mark("this place (something lies or stands in it)"),
    "category_in_use": mark("this category"),
    "template_in_use": mark("this template (dossiers follow it)"),
    "schedule_in_use": mark("this schedule"),
}
"""What cannot be changed or removed while others hang on it."""
