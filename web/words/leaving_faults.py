"""Words of the faults and states of secrecy reviews, transfers, renewals and audits."""

from collections.abc import Mapping

from web.words import mark

LEAVING_FAULTS: Mapping[str, str] = {
    "in_several_fonds": mark("stands in several fonds: write FONDS:%(value)s"),
    "in_transfer": mark("one of the records is in another transfer, or was handed over"),
    "in_transfer_named": mark("are in another transfer, or were handed over: %(names)s"),
    "nothing_may_go": mark("nothing is left that may go"),
    "changed_meanwhile": mark("something may not go any more; make the bag again"),
    "not_empty": mark("is not empty, and not the bag of this transfer"),
    "not_whole": mark("cannot be read whole from the store: %(name)s"),
    "bad_hash": mark("is no SHA-256 of 64 digits 0-9 a-f"),
    "line_not_listed": mark("line %(line)s, %(number)s, is not on the list"),
    "not_listed": mark("names a record that is not on the list"),
    "no_bag": mark("names a record that holds no ZIP"),
    "bag_comes_in": mark("names a record whose bag is coming in already"),
    "bag_not_allowed": mark("holds what you may not catalogue, or you may not take its file any more"),
    "bag_given_up": mark("stood still for more than a week: put its drafts into the bin, and take it in anew"),
    "bag_missing": mark("is missing"),
    "bag_changed": mark("is not as it was packed"),
    "bag_unlisted": mark("is in no manifest"),
    "bag_unsafe": mark("leads out of the bag"),
    "bag_unreadable": mark("cannot be read"),
    "level_not_lower": mark("must be lower than the present level of each record"),
    "level_not_higher": mark("must be higher than the present level of each record"),
    "level_not_open": mark("must be a level without a secrecy period"),
    "open_already": mark("one of the records is open: its level has no secrecy period"),
    "nothing_to_declassify": mark(
        "of the records chosen, so many have no secrecy period, and there is nothing to declassify: %(count)s. "
        "Say “open to the public” of them instead"
    ),
    "terms_shorter": mark(
        "terms of records would end sooner there, and nobody brings that about alone: put the schedule that is to "
        "hold on the category itself by a draft, which another person approves; then move it"
    ),
    "on_the_panel": mark("sits on the panel, and gives an opinion there"),
    "reads_them_not": mark("may not read so many of the records chosen: %(count)s"),
    "answered_already": mark("was given already, and stays as it is"),
    "consulted_already": mark("was asked already of so many of the records chosen: %(count)s"),
    "still_secret": mark("one of the records is secret still, or need-to-know: declassify it first"),
    "ends_in_the_past": mark("the period of one of the records would still end before tomorrow"),
    "day_not_ahead": mark("must be a day after today"),
    "derived_titles_lacking": mark("%(count)s records have none: %(numbers)s"),
    "derived_titles_too_long": mark("longer than %(limit)s characters: %(numbers)s"),
    "derived_title_same": mark("is the title of the original, which readers of the lower level may not see"),
    "derived_titles_same": mark("the original's own, which readers of the lower level may not see: %(numbers)s"),
    "records_at_fault": mark("what is said here is so of these: %(numbers)s"),
    "under_review": mark("one of the records is under a review that is not decided yet"),
    "day_over": mark("lies before today"),
    "not_of_period": mark("there is no destruction of this number in the audit's time"),
    "period_not_over": mark("the period is not over yet; close the audit after its last day"),
    "points_unanswered": mark("not answered yet: %(count)s"),
    "points_without_finding": mark("not met, and without a finding that says who mends it: %(count)s"),
    "has_findings": mark("something was found already: it is closed, not taken back"),
    "one_of_both": mark("give one of the two, not both"),
    "shelf_place": mark("is a place of the store rooms: under what it covers, choose a room, cabinet, shelf or box"),
    "on_destruction_list": mark("one of the records stands on the list of a destruction"),
    "under_renewal": mark("one of the records is under a renewal that is not decided yet"),
    "kept_for_good": mark("one of the records is kept for good already"),
    "not_longer": mark("one of the records is kept that long already"),
    "periods_run": mark("periods of this level run: give it years"),
}

LEAVING_STATES: Mapping[str, str] = {
    "finding_open": mark("to be mended"),
    "finding_mended": mark("mended, to be looked at"),
    "finding_closed": mark("finding closed"),
}
