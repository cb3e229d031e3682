"""What destructions, their states, duties and methods are called, and what comes next."""

from collections.abc import Mapping

from web.words import mark

STATES: Mapping[str, str] = {
    "draft": mark("the list is made"),
    "asked": mark("asked for, to be decided"),
    "cooling": mark("cooling off"),
    "confirmed": mark("confirmed, to be counted"),
    "counted": mark("counted"),
    "running": mark("being destroyed"),
    "gone": mark("gone, to be signed"),
    "closed": mark("signed and closed"),
    "refused": mark("refused"),
    "withdrawn": mark("withdrawn"),
}

NEXT: Mapping[str, str] = {
    "draft": mark("Who began the list names the people and asks for it."),
    "asked": mark("Those who decide look at the list, step by step."),
    "cooling": mark("Whoever reads a record on the list may object to it. Then someone without a part in it confirms."),
    "confirmed": mark("The witnesses count everything against the list and sign, with who runs the system for files."),
    "counted": mark("The executor begins it. From then on there is no way back."),
    "running": mark("The records are being destroyed, and it is looked for what is left of them."),
    "gone": mark("The witnesses, the executor and who runs the system sign."),
    "closed": mark("Signed by all, and kept for good."),
    "refused": mark("It was refused; the records are free again."),
    "withdrawn": mark("It was taken back; the records are free again."),
}

DUTIES: Mapping[str, str] = {
    "chair": mark("chair of the appraisal"),
    "asker": mark("asked for it"),
    "decider": mark("decided"),
    "confirmer": mark("confirmed"),
    "executor": mark("executor"),
    "witness": mark("witness of the destruction"),
    "supervisor": mark("supervisor of the system"),
}

METHODS: Mapping[str, str] = {
    "shredding": mark("shredding"),
    "pulping": mark("pulping"),
    "incineration": mark("incineration"),
    "deletion": mark("deletion, with the keys"),
}

HOW: Mapping[str, str] = {
    "account": mark("from their account"),
    "code": mark("with a one-time code"),
    "paper": mark("on paper"),
}

STOPS: Mapping[str, str] = {
    "unfiled": mark("is not filed"),
    "undue": mark("its term has not run out"),
    "held": mark("is held"),
    "lent": mark("is lent"),
    "missing": mark("is missing"),
    "unsettled": mark("something of it is not settled"),
    "objected": mark("someone objected"),
    "elsewhere": mark("an appraisal, a transfer or a destruction has it"),
    "not_there": mark("is not there any more"),
}

ITEMS: Mapping[str, str] = {
    "listed": mark("listed"),
    "doomed": mark("goes now"),
    "gone": mark("gone"),
}

FAULTS: Mapping[str, str] = {
    "nothing_to_weigh": mark("files alone are deleted: there is nothing to weigh"),
    "none_to_destroy": mark("there are none: only what a closed appraisal gave up, and nothing stops, is listed"),
    "paper_is_not_deleted": mark("there is paper on the list: it is shredded, pulped or burnt"),
    "titles_lacking": mark("%(count)s still need a title that may stand in the register"),
    "duty_taken": mark("is given to someone already"),
    "has_a_duty": mark("has another part in this destruction: each is another person's"),
    "papers_missing": mark("papers on the list that were not scanned: %(count)s"),
    "papers_extra": mark("papers that are not on the list: %(count)s; take them out of the pile"),
    "code_wrong": mark("is not the code, or it is over: have a new one made"),
    "no_picture": mark("is neither a picture (PNG, JPEG) nor a PDF"),
    "not_yours_to_add": mark("is added by those who have a part in it"),
}
"""Faults of fields, as ``web.words.field_faults`` has them."""
