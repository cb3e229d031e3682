"""What batches, their lines, their faults and the steps into custody are called."""

from collections.abc import Mapping

from web.words import mark

BATCH_STATES: Mapping[str, str] = {
    "open": mark("being listed"),
    "handed_in": mark("handed in, being checked"),
    "returned": mark("lines came back"),
    "checked": mark("checked, to be signed"),
    "signed": mark("signed by both"),
}

LINE_STATES: Mapping[str, str] = {
    "listed": mark("listed"),
    "handed_in": mark("to be checked"),
    "passed": mark("passed"),
    "failed": mark("failed"),
    "returned": mark("came back"),
    "withdrawn": mark("withdrawn"),
}

FAILINGS: Mapping[str, str] = {
    "not_there": mark("it did not arrive"),
    "pages_differ": mark("the pages are not as said"),
    "unreadable": mark("it cannot be read"),
    "damaged": mark("it is damaged"),
    "label_wrong": mark("the label is missing or wrong"),
    "not_the_original": mark("it is a copy, not the original"),
    "wrong_description": mark("the list says something else"),
    "other": mark("another reason"),
}

LOOKED: Mapping[str, str] = {
    "arrived": mark("It arrived"),
    "pages_agree": mark("Pages as said"),
    "readable": mark("Readable"),
    "labelled": mark("Label right"),
}

SIDES: Mapping[str, str] = {
    "handed": mark("Handed over by"),
    "received": mark("Received by"),
}

STEPS: Mapping[str, str] = {
    "received": mark("received"),
    "arranged": mark("arranged"),
    "numbered": mark("numbered"),
    "filed": mark("filed as a step"),
    "shelved": mark("in custody"),
}

BOARD: Mapping[str, str] = {
    "received": mark("received, to be arranged"),
    "arranged": mark("arranged, to be filed"),
    "filed": mark("filed, to be shelved"),
    "shelved": mark("in custody"),
}

COUNTED: Mapping[str, str] = {
    "drawn_up": mark("the day it was drawn up"),
    "year_end": mark("the end of that year"),
}
