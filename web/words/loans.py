"""What loans, their requests and those who decide are called."""

from collections.abc import Mapping

from web.words import mark

FORMS: Mapping[str, str] = {
    "out": mark("the paper, to take along"),
    "room": mark("the paper, in the reading room"),
    "screen": mark("the files, on the page"),
}
ASKED_FOR: Mapping[str, str] = {
    "loan": mark("a loan"),
    "extension": mark("an extension"),
    "custody": mark("standing custody"),
    "circulation": mark("a circulation"),
}
SHORT_FORMS: Mapping[str, str] = {
    "out": mark("paper"),
    "room": mark("reading room"),
    "screen": mark("on the page"),
}
USED_HOW: Mapping[str, str] = {
    "read": mark("read in the reading room"),
    "copies": mark("copies handed out"),
}
"""How a reader from outside used a record."""

IDENTITY_PAPERS: Mapping[str, str] = {
    "resident": mark("Resident identity card"),
    "passport": mark("Passport"),
    "permit": mark("Travel permit of Hong Kong, Macao or Taiwan"),
    "other": mark("Other identity paper"),
}
STATES: Mapping[str, str] = {
    "asked": mark("asked for"),
    "ready": mark("ready to collect"),
    "open": mark("lent"),
    "returned": mark("returned"),
    "ended": mark("ended"),
    "refused": mark("refused"),
    "withdrawn": mark("taken back"),
    "lapsed": mark("lapsed"),
    "lost": mark("lost"),
}
HARMS: Mapping[str, str] = {
    "damaged": mark("damaged"),
    "pages": mark("pages are missing"),
    "lost": mark("lost"),
}
SAID: Mapping[str, str] = {
    "approved": mark("agreed"),
    "refused": mark("refused"),
    "question": mark("asked back"),
    "answer": mark("answered"),
    "found": mark("found the record"),
}
STANDS: Mapping[str, str] = {
    "stays": mark("does not leave the reading room"),
    "no_paper": mark("there is no paper of it"),
    "no_files": mark("it is on paper alone"),
    "missing": mark("is missing at present"),
    "in_restoration": mark("is being restored"),
    "in_appraisal": mark("is being appraised"),
    "under_destruction": mark("is no longer lent"),
}
"""Why a record is not lent in a form."""

FAULTS: Mapping[str, str] = {
    **STANDS,
    "does_not_read": mark("they do not read this record; have them describe what they seek"),
    "not_for_them": mark("you borrow for those who named you as their deputy"),
    "not_active": mark("this account is closed"),
    "overdue": mark("there are overdue loans: return or extend them first"),
    "too_many_loans": mark("there are as many loans at once as the house allows"),
    "has_it": mark("is lent to them already, or asked for"),
    "not_filed": mark("is not filed"),
    "not_cleared": mark("the borrower is not cleared for it"),
    "nobody_decides": mark("nobody could decide on this by the house's routes: tell the secrecy officer"),
    "no_route": mark("no route fits"),
    "last_takes_all": mark("the last one must fit everything: leave out its conditions"),
    "recalled": mark("it was called back"),
    "is_overdue": mark("it is overdue: return it first"),
    "no_longer": mark("it can be extended no further"),
    "someone_waits": mark("someone waits for it"),
    "another_first": mark("someone else comes first"),
    "not_approved": mark(
        "no loan of a paper is approved for this person, who asks for one on its page; "
        "files are read on the page, without the counter"
    ),
    "just_handed": mark("was handed out to this person just now; to take it back, end with them first"),
    "which_copy": mark("several copies are out: write the copy behind the number, as in …*2"),
    "not_out": mark("is with nobody"),
    "is_with_people": mark("goes round on a slip, or is in standing custody: it comes back from there first"),
    "empty_basket": mark("nothing lies in the basket"),
    "too_often": mark("was lent to them %(limit)s times within a year, as often as the house allows"),
    "needs_a_loan": mark("others than the archive decide on its leaving: apply for it"),
    "asked_already": mark("is asked for already, and that is not decided yet"),
    "asker_lends_not": mark("who asked for it may hand it out no more"),
    "unknown_person": mark("there is nobody of the sign-in name %(name)s"),
    "twice": mark("someone is named twice"),
    "reads_not": mark("%(name)s does not read this record"),
    "shelves_not": mark("does not shelve this record: to others papers go on a loan or a slip, or into custody"),
    "holds_no_post": mark("%(name)s holds no post"),
    "holds_not_the_post": mark("%(name)s does not hold this post"),
    "not_within": mark("must be from %(low)s to %(high)s"),
    "file_too_large": mark("%(name)s is larger than 5 MB"),
    "not_attached": mark("%(name)s is of a kind that is not taken: PDF, pictures, Word, Excel, OFD or text"),
    "virus": mark("%(name)s holds a virus, and is not taken"),
    "is_lent": mark("is lent: take it back at the counter first"),
    "out_of_order": mark("lies before the first day, or in the past"),
    "not_for_outside": mark(
        "%(number)s is not open to readers from outside: someone of the house asks for a loan of it"
    ),
    "not_pages": mark("is not written as pages are, as in 1-3,5"),
    "not_a_box": mark("of page %(page)s is no part of the page: four numbers from 0 to 100 that stay within it"),
    "no_record_of": mark("there is nothing of the number %(number)s that you can see"),
    "noted_already": mark("is written down with this visit already"),
    "too_many_days": mark("makes %(length)s days with the first; at most %(limit)s"),
}
"""What may be wrong with a request for a loan, or with what is scanned at the counter."""

LIMITS: Mapping[str, str] = {
    "pages": mark("pages"),
    "pages_a_day": mark("pages a day"),
    "copies": mark("copies"),
}
"""What a loan's limit counts."""
