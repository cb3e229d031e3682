"""Words of the faults that a printed form and its template may have."""

from collections.abc import Mapping

from web.words import mark

FORM_FAULTS: Mapping[str, str] = {
    "not_a_day_line": mark("line %(line)s is not a day, “off” or “work”, and a name"),
    "no_list": mark("is no list; print it as a PDF"),
    "form_broken": mark("cannot be set: %(told)s"),
    "form_broken_line": mark("cannot be set, line %(line)s: %(told)s"),
    "form_time": mark("takes longer than a form may; nothing was printed"),
    "form_memory": mark("needs more memory than a form may; nothing was printed"),
    "form_size": mark("makes more pages than a form may; nothing was printed"),
    "form_walls": mark("cannot be set here: this system's kernel lacks the walls that a template of your own needs"),
    "form_crashed": mark("broke the typesetter; nothing was printed"),
}
