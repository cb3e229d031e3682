"""What blocks a record, and where a block comes from, in words."""

from collections.abc import Mapping

from web.words import mark

BLOCKS: Mapping[str, str] = {
    "missing": mark("not in its place"),
    "in_restoration": mark("in restoration"),
    "in_appraisal": mark("in appraisal"),
    "under_destruction": mark("about to be destroyed"),
}

CAUSES: Mapping[str, str] = {
    "person": mark("by hand"),
    "stocktaking": mark("by a stock-taking"),
    "check": mark("by a check"),
    "placing": mark("by being shelved"),
    "withdrawal": mark("by being withdrawn"),
    "destruction": mark("by a destruction"),
    "appraisal": mark("by an appraisal"),
}
