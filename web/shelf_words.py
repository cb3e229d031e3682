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
