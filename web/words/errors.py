"""What a person reads of each error: what happened, what was kept, what to do; ``web.words.faults`` joins them."""

from collections.abc import Mapping
from dataclasses import dataclass

from web.words import mark


@dataclass(frozen=True)
class Words:
    """How one kind of error is told: its HTTP status, what happened, what was kept, what to do."""

    status: int
    happened: str
    kept: str = ""
    todo: str = ""


NOTHING_WRITTEN = mark("Nothing was changed.")

ERRORS: Mapping[str, Words] = {
    "error": Words(
        500,
        mark("Something went wrong here."),
        "",  # it may have been done before its answer failed
        mark("Look whether it was done before you try again; if it stays, tell your administrator."),
    ),
    "invalid": Words(422, mark("Some fields need mending."), NOTHING_WRITTEN, mark("Mend the fields named below.")),
    "not_found": Words(
        404,
        mark("There is nothing here that you can see."),
        "",
        mark("Check the address or the number, or ask your archivist."),
    ),
    "ambiguous": Words(
        409,
        mark("This may mean one of several: %(names)s."),
        "",
        mark("Write one of these."),
    ),
    "not_allowed": Words(
        403,
        mark("You may see this, but not do this."),
        NOTHING_WRITTEN,
        mark("Ask someone who has the right to do it."),
    ),
    "acting_forbidden": Words(
        403,
        mark("This house does not let the machine's operator act as a person (--as)."),
        NOTHING_WRITTEN,
        mark("Sign in as yourself; whether the operator may act for people is said by 'house show'."),
    ),
    "held": Words(
        409,
        mark("A hold keeps this as it is: it is neither altered nor destroyed."),
        NOTHING_WRITTEN,
        mark("Whoever is responsible for holds can release it."),
    ),
    "sign_in_failed": Words(401, mark("The name or the password is not right."), "", mark("Check both and try again.")),
    "locked_out": Words(
        429, mark("There were too many failed attempts."), "", mark("Wait %(seconds)s seconds, then try again.")
    ),
    "conflict": Words(
        409,
        mark("Someone changed this while you had it open."),
        mark("Their change stands; yours was not written."),
        mark("Open it again and make your change once more."),
    ),
    "stands_already": Words(
        409,
        mark("There is %(what)s already."),
        NOTHING_WRITTEN,
        mark("Choose another one, or work with what stands."),
    ),
    "in_use": Words(
        409,
        mark("Others hang on %(what)s, so it stays as it is."),
        NOTHING_WRITTEN,
        mark("Close it instead, or make another one."),
    ),
    "move_keys": Words(
        409,
        mark("Keys were destroyed or made anew at the new place: files and fields here need %(count)s that are gone."),
        NOTHING_WRITTEN,
        mark("Work on at the new place, or move from there to an empty place with 'juanku move --to'."),
    ),
    "move_store": Words(
        409,
        mark("Files came into the new store that are not in the old one: %(count)s."),
        NOTHING_WRITTEN,
        mark("Move the store back instead: 'juanku move --only store --to' with the settings of the old store."),
    ),
    "place_forbidden": Words(
        409,
        mark("The rule of the house: papers of the level %(level)s lie in a place of this kind at least: %(needed)s."),
        mark("%(where)s is: %(found)s. Nothing was moved."),
        mark("Take another place, or ask the secrecy officer about the rule (Levels)."),
    ),
    "place_full": Words(
        409,
        mark("%(where)s is full (%(capacity)s)."),
        mark("Nothing was moved."),
        mark("Take another place, or correct its capacity."),
    ),
    "blocked": Words(
        409,
        mark("It is held back: %(kinds)s."),
        NOTHING_WRITTEN,
        mark("Its page says since when and why. Once that has ended, do it again."),
    ),
    "no_archive": Words(
        409,
        mark("There is no archive in %(home)s yet."),
        "",
        mark("Make one with 'juanku init' or 'juanku demo', or set JUANKU_HOME to the folder of yours."),
    ),
    "other_version": Words(
        409,
        mark("The tables are of version %(is)s, this program is of %(wanted)s."),
        "",
        mark("End web and workers on every machine, make a backup, then run 'juanku upgrade' of the newer version."),
    ),
    "restoring": Words(
        409,
        mark("A restore of this archive was begun and has not ended."),
        "",
        mark("Run 'juanku restore' again with the settings it began with; files that came back already are kept."),
    ),
    "preparing": Words(
        409,
        mark("The pages of this file are being prepared."),
        "",
        mark("Do it again in a few moments."),
    ),
    "read_only": Words(
        503,
        mark("The house is being moved: for a while it can be read and searched, and nothing can be changed."),
        NOTHING_WRITTEN,
        mark("Do it again in some minutes; the banner above each page goes when the house is open again."),
    ),
    "moved": Words(
        409,
        mark("This house has moved to another place; nothing is written here any more."),
        NOTHING_WRITTEN,
        mark("Go to the new place. Who runs the system can take the move back with 'juanku move --undo'."),
    ),
    "arriving": Words(
        409,
        mark("A house is moving in here and is not whole yet."),
        "",
        mark("Let 'juanku move' come to its end, or run it again at the old place; it goes on where it broke off."),
    ),
    "interrupted": Words(
        503,
        mark("The work was told to stop."),
        mark("What was done so far is kept."),
        mark("Start it again to go on."),
    ),
    "own_request": Words(
        403,
        mark("You asked for this yourself."),
        NOTHING_WRITTEN,
        mark("Someone else decides on it."),
    ),
    "limit_reached": Words(
        403,
        mark("Loan %(loan)s is used up: it allows %(limit)s %(what)s."),
        mark("What you have looked at is kept, and can be looked at until the loan ends."),
        mark("Ask the archivist for another loan, or to raise the limit; of pages a day there are more tomorrow."),
    ),
    "request_ended": Words(
        409,
        mark("This request has ended already (it is: %(state)s)."),
        NOTHING_WRITTEN,
        mark("What was decided is not changed; ask anew if something is still wrong."),
    ),
    "wrong_state": Words(
        409,
        mark("The record is not in a state that allows this (it is: %(state)s)."),
        NOTHING_WRITTEN,
        mark("A filed record changes only by an approved correction."),
    ),
    "quarantined": Words(
        422,
        mark("The file was put aside: %(reason)s."),
        mark("The rest of the record stands."),
        mark("See your uploads for what to do with the file."),
    ),
    "too_large": Words(
        413,
        mark("This is larger than what is taken (%(limit)s)."),
        NOTHING_WRITTEN,
        mark("Send large files through the upload list, which cuts them into pieces."),
    ),
    "form_too_large": Words(
        413,
        mark("The form holds more than is taken (at most %(limit)s in %(fields)s fields)."),
        NOTHING_WRITTEN,
        mark("Go back, shorten what was typed, and send it again; long texts belong in files."),
    ),
    "unavailable": Words(
        503,
        mark("A part of the system does not answer: %(part)s."),
        "",  # it may have been done before its answer failed
        mark("Look in a minute whether it was done before you try again; if it stays, tell your administrator."),
    ),
    "store_unavailable": Words(
        503,
        mark("The store of files does not answer."),
        mark("What was taken in before is whole, and of a file on its way in the pieces are kept that arrived."),
        mark("Try again in a minute: an upload goes on where it stopped. If it stays, tell your administrator."),
    ),
    "unreadable": Words(
        503,
        mark("This file cannot be read just now: the store does not give its bytes back. Other files can be read."),
        mark("Its description, its text and its entry in the log stand. Your archivist is told of it."),
        mark("It can be brought back from the backup: try again tomorrow, and ask your archivist if it is urgent."),
    ),
    "storage_full": Words(
        507,
        mark("The store takes no more bytes (%(part)s)."),
        mark("Nothing was accepted, and what was there before is whole."),
        mark("Tell your administrator to make room, then send it again."),
    ),
    "no_access": Words(
        503,
        mark("This process may not read or write %(path)s."),
        NOTHING_WRITTEN,
        mark(
            "Run it as the user whom the archive belongs to, or set JUANKU_HOME and JUANKU_KEYS to folders of your own."
        ),
    ),
    "damaged": Words(
        500,
        mark("The stored bytes are not what was stored (%(what)s)."),
        mark("Nothing of them is shown."),
        mark("Tell your administrator; the file can be mended from a copy."),
    ),
    "key_unavailable": Words(
        500,
        mark("The key that opens this is not in the ring."),
        mark("Nothing of it is shown."),
        mark("It was destroyed, or the ring is broken: tell your administrator."),
    ),
    "broken_setting": Words(
        500,
        mark("A setting cannot be used: %(variable)s (%(reason)s)."),
        mark("Nothing was started."),
        mark("Mend the setting and start again; 'juanku config' shows all of them."),
    ),
    "form_expired": Words(
        400,
        mark("This form is no longer valid."),
        NOTHING_WRITTEN,
        mark("Open the page again and send the form from there."),
    ),
    "bad_request": Words(400, mark("The request could not be read."), NOTHING_WRITTEN, mark("Go back and try again.")),
    "token_needed": Words(
        401,
        mark("This needs a valid token."),
        NOTHING_WRITTEN,
        mark("Send one as 'Authorization: Bearer …'; the page My account or 'juanku user token' makes it."),
    ),
    "wrong_method": Words(
        405,
        mark("This address does not take that kind of request."),
        NOTHING_WRITTEN,
        mark("See /openapi.json for what it takes."),
    ),
    "range_outside": Words(
        416,
        mark("This part of the file cannot be sent."),
        "",
        mark("Ask for one range of bytes that lies inside the file."),
    ),
    "version_needed": Words(
        428,
        mark("A change must say which version it is made on."),
        NOTHING_WRITTEN,
        mark("Ask for it first, and send its ETag as 'If-Match'."),
    ),
    "stale": Words(
        412,
        mark("Someone changed this since the version that you name."),
        mark("Their change stands; yours was not written."),
        mark("Ask for it again, and make your change on what stands now."),
    ),
    "wrong_type": Words(
        415,
        mark("The body is not of a type that is taken here."),
        NOTHING_WRITTEN,
        mark("Send it with 'Content-Type: %(wanted)s'."),
    ),
    "idempotency_key_reused": Words(
        422,
        mark("Another request came under this Idempotency-Key before."),
        NOTHING_WRITTEN,
        mark("Send a new request under a new key; send the same one again under its own."),
    ),
    "request_running": Words(
        409,
        mark("The same request is being done at this moment."),
        "",
        mark("Ask again in %(seconds)s seconds: you will get its answer."),
    ),
    "answer_lost": Words(
        409,
        mark("This request was done, but its answer was not kept."),
        mark("It is not done again."),
        mark("Look for what it made before you send a new one under a new key."),
    ),
    "too_many_requests": Words(
        429, mark("These are more requests than are taken."), NOTHING_WRITTEN, mark("Wait %(seconds)s seconds.")
    ),
    "token_reads_only": Words(
        403,
        mark("This token is for reading alone."),
        NOTHING_WRITTEN,
        mark("Make one that may write on the page of your account."),
    ),
    "signed_out": Words(401, mark("You are no longer signed in."), NOTHING_WRITTEN, mark("Sign in and go on.")),
}
