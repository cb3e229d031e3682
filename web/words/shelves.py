"""What places for papers, their security, carriers and conditions are called."""

from collections.abc import Mapping

from web.words import mark

SHELF_KINDS: Mapping[str, str] = {
    "room": mark("Store room"),
    "cabinet": mark("Cabinet or rack"),
    "shelf": mark("Shelf"),
    "box": mark("Archive box"),
}

SECURITIES: Mapping[str, str] = {
    "work_area": mark("work area"),
    "cabinet": mark("cabinet"),
    "locked_cabinet": mark("locked cabinet"),
    "secure_room": mark("secure room"),
}

CARRIERS: Mapping[str, str] = {
    "paper": mark("paper"),
    "photograph": mark("photograph"),
    "drawing": mark("drawing"),
    "disc": mark("optical disc"),
    "drive": mark("disk or stick"),
    "film": mark("film or microfilm"),
    "tape": mark("tape"),
    "object": mark("object"),
}

CONDITIONS: Mapping[str, str] = {
    "good": mark("good"),
    "worn": mark("worn"),
    "damaged": mark("damaged"),
    "unreadable": mark("unreadable"),
}

FAULTS: Mapping[str, str] = {
    "bad_shelf_code": mark("is no code: capitals and digits, up to 8"),
    "only_shelves_have_it": mark("only shelves and boxes have a capacity"),
    "comes_from_above": mark("comes from the cabinet or the room"),
    "place_closed": mark("is closed: take another place"),
    "holds_no_papers": mark("papers lie on a shelf or in a box: take one of these"),
    "belongs_nowhere": mark("belongs nowhere by the books"),
    "not_filed_yet": mark("is shelved when its record is filed: file it first"),
    "no_copy": mark("is not noted: note it on the record's page first"),
    "is_the_original": mark("is left empty for the original itself"),
}
"""What can be wrong with a place, or with a paper that is put there."""
