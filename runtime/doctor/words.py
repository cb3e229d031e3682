"""What the doctor's findings say to a person, and what to do about them."""

from collections.abc import Callable, Mapping

from runtime.doctor import Part
from web.words import mark
from web.words.field_faults import SETTING_REASONS

PLACES: Mapping[str, str] = {
    "data": mark("the data"), "ring": mark("the key ring"), "store": mark("the store of files"),
    "backup": mark("the backups"),
}  # fmt: skip
"""What lies on a disk, by the word that findings have for it."""

WORDS: Mapping[str, str] = {
    "version": mark("Python %(python)s, SQLite %(sqlite)s."),
    "no_archive": mark("There is no archive here yet. Run: juanku init, or juanku demo to try it out."),
    "folder": mark("The data folder is %(home)s, open to its owner alone."),
    "open_to_others": mark("Other users of this machine can open %(home)s. Run: chmod 700 on it."),
    "disk": mark("%(megabytes)s MB are free on the disk of %(places)s (%(path)s)."),
    "disk_low": mark(
        "Only %(megabytes)s MB are free on the disk of %(places)s (%(path)s): below 2 GB intake may stop. Make room."
    ),
    "disk_full": mark(
        "The disk of %(places)s (%(path)s) is nearly full: %(megabytes)s MB. Make room now; then all goes on by itself."
    ),
    "few_files": mark("The file system of %(path)s can hold only %(count)s more files. Move to one that holds more."),
    "ring_own": mark("The ring's folder (%(keys)s) is open to its owner alone."),
    "ring_open": mark("Other users of this machine can open the ring (%(keys)s). Run: chmod 700 on it."),
    "clock": mark("The clock says %(now)s (UTC)."),
    "clock_behind": mark(
        "The clock says %(now)s (UTC), but the log was written until %(newest)s: it went back. "
        "Set it right, and have it kept right by NTP."
    ),
    "database_clock": mark(
        "The database server's clock differs from this machine's by %(seconds)s seconds. Keep both right by NTP."
    ),
    "no_ways": mark("Messages stay on their page: no way out of the house is set up."),
    "ways_elsewhere": mark("Messages leave the house by another worker (%(ways)s); these settings have no way."),
    "ways": mark("Messages leave the house by: %(ways)s. Their links begin with %(address)s."),
    "no_address": mark(
        "Links in messages begin with %(address)s. Set JUANKU_ADDRESS to what people type to come here."
    ),
    "mail": mark("The mail server %(address)s takes mail."),
    "mail_away": mark("The mail server %(address)s does not answer. Messages wait and are tried again."),
    "mail_sign_in": mark("The mail server %(address)s does not take JUANKU_MAIL_USER and JUANKU_MAIL_PASSWORD."),
    "mail_no_tls": mark("The mail server %(address)s offers no TLS. Use one that does."),
    "mail_certificate": mark("The certificate of the mail server %(address)s is not trusted. Set JUANKU_MAIL_CA."),
    "not_sent": mark("%(count)s messages did not go out, or nobody knows. Look at System → Messages not sent."),
    "encrypt_volume": mark("Database and index hold titles in plain: keep %(home)s on an encrypted volume."),
    "encrypt_servers": mark("The servers of database and index hold titles in plain: keep their disks encrypted."),
    "ring": mark("The ring in %(keys)s opens its %(generations)s generations."),
    "ring_beside_home": mark(
        "The ring lies beside the data (%(keys)s). Set JUANKU_KEYS to another disk, and keep a copy off site."
    ),
    "ring_same_disk": mark("The ring (%(keys)s) is on the same disk as the data: one stolen disk would give both."),
    "other_version": mark(
        "The tables are of another version (%(is)s; this program has %(wanted)s)."
        " Older ones: end web and workers, make a backup, then run juanku upgrade."
    ),
    "no_house": mark("The database has no house. Run: juanku init."),
    "quick_check": mark("The database's own check says: %(answer)s."),
    "server": mark("The database is PostgreSQL %(version)s."),
    "not_durable": mark("The server may lose what it said was kept (off: %(settings)s). Turn these settings on."),
    "log_by_role": mark("The log can only be added to: its tables belong to another role, and triggers guard them."),
    "log_by_trigger": mark(
        "Triggers guard the log, but this role owns its tables and could take them away. Set JUANKU_DATABASE_OWNER_URL."
    ),
    "log_open": mark("Nothing guards the log's tables: their triggers are gone. Look who changed the database."),
    "house": mark("The database answers; its tables are at %(revision)s."),
    "written_and_read": mark("The object store took an object, gave it back and removed it."),
    "no_bucket": mark("There is no bucket %(bucket)s, or none for its pieces. Run: juanku store set-up."),
    "bucket_versioned": mark("The bucket %(bucket)s keeps versions."),
    "bucket_not_versioned": mark("The bucket %(bucket)s keeps no versions. Run: juanku store set-up."),
    "bucket_locks": mark("The bucket %(bucket)s can lock what is filed."),
    "bucket_without_locks": mark(
        "The bucket %(bucket)s cannot lock; object lock is given when a bucket is made. Name another one."
    ),
    "store_clock": mark(
        "The object store's clock differs from this machine's by %(seconds)s seconds; "
        "beyond 15 minutes it refuses all. Keep both right by NTP."
    ),
    "everyday_keeps": mark("The everyday credential cannot delete in the bucket."),
    "everyday_deletes": mark(
        "The everyday credential can delete in the bucket. Give it the policy that juanku store policies prints."
    ),
    "no_sweeper": mark(
        "The sweeper has no credential of its own and uses the everyday one. Set JUANKU_STORE_SWEEP_KEY and …_SECRET."
    ),
    "sweeper_cannot": mark(
        "The sweeper's credential cannot remove a version: orphans stay. Give it the policy of juanku store policies."
    ),
    "no_destroyer": mark(
        "No credential here lifts locks. Only the worker of the queue retention needs it: "
        "set JUANKU_STORE_DESTROY_KEY and …_SECRET there, or nothing that is filed can be destroyed."
    ),
    "store_plain": mark("The way to the object store is not encrypted: right on one machine only."),
    "no_witness": mark("No bucket witnesses the log. Set JUANKU_STORE_WITNESS_BUCKET to one of another administrator."),
    "witness": mark("The bucket %(bucket)s witnesses a log of %(size)s entries."),
    "witness_deletes": mark("The witness's credential can delete in %(bucket)s. Give it the policy that is printed."),
    "broker_here": mark("Workers are woken through the data folder."),
    "broker": mark("The broker (%(kind)s) answers."),
    "broker_away": mark(
        "The broker (%(kind)s) does not answer. Files come in all the same; workers look for jobs every few seconds."
    ),
    "partitions": mark("The search index has %(count)s parts, and all open."),
    "search_engine": mark(
        "Search is answered by %(engine)s %(version)s (health: %(health)s; schema %(schema)s, fold %(fold)s)."
    ),
    "search_version": mark("Elasticsearch %(version)s is not a version that this program is made for: 8.19 or 9."),
    "search_lag": mark("%(waiting)s changes wait to be brought into search; the first since: %(since)s."),
    "needs_rebuild": mark("Parts of the search index cannot be read (%(partitions)s). Run: juanku index rebuild."),
    "sandbox": mark("Files are read apart, kept in by: %(works)s."),
    "sandbox_gap": mark(
        "Files are read apart, kept in by: %(works)s. Missing here: %(missing)s. "
        "Take a Linux kernel of 5.13 or later, with user namespaces and Landlock turned on, outside a narrow container."
    ),
    "ocr": mark("Scans are read by OCR (%(engine)s)."),
    "ocr_tesseract": mark("Scans are read by %(engine)s in: %(languages)s."),
    "ocr_languages": mark(
        "Scans are read by %(engine)s in: %(languages)s. For the other languages: apt install %(packages)s."
    ),
    "ocr_off": mark("Scans are kept, but not read: JUANKU_OCR is none."),
    "ocr_absent": mark(
        "JUANKU_OCR is %(wanted)s, which is not installed: scans are not read. Install it, or take auto."
    ),
    "no_ocr": mark(
        "Scans are kept, but their words are not found. To have them read, install the extra ocr, "
        "or Tesseract: apt install %(packages)s."
    ),
    "scanner": mark("Files are scanned for viruses by %(version)s."),
    "no_scanner": mark("Files are not scanned for viruses. To have it done, name ClamAV's socket: JUANKU_CLAMAV."),
    "scanner_away": mark(
        "The virus scanner at %(address)s does not answer. Files come in, but wait to be read until it does."
    ),
    "office": mark("Office documents are shown as printed by %(version)s (%(program)s)."),
    "no_office": mark("Office documents are shown as text. To see their pages as printed, install LibreOffice."),
    "office_off": mark("Office documents are shown as text; JUANKU_SOFFICE is off."),
    "office_silent": mark("LibreOffice (%(program)s) does not start. Office documents are shown as text."),
    "office_open": mark(
        "LibreOffice (%(program)s) is not used, as this kernel cannot confine it. Office documents are shown as text."
    ),
    "formats": mark("Formats are told by PRONOM's signatures: %(signatures)s."),
    "no_formats": mark("Formats cannot be told by PRONOM's signatures here; files are kept and read all the same."),
    "unsealed": mark("%(count)s entries of the log wait for their seal."),
    "failed_jobs": mark("%(count)s jobs failed for good. Those on the page System can be done again or given up."),
    "no_failed_jobs": mark("No job failed for good."),
    "waiting_jobs": mark("%(count)s jobs wait."),
    "jobs_late": mark("%(count)s jobs wait, one for more than ten minutes. Look whether juanku serve runs."),
    "served": mark("The archive is being served."),
    "not_served": mark("The archive is not being served now. Run: juanku serve."),
    "not_served_here": mark("No pages are served on this machine. Where they should be, run: juanku web."),
    "no_backup_place": mark("No place for backups is named. Set JUANKU_BACKUP_URL; copy the ring to another place."),
    "no_backup": mark("There is no good backup yet. Run: juanku backup. Copy the ring to another place."),
    "last_backup": mark("The last good backup is of %(when)s (UTC)."),
    "last_backup_late": mark(
        "The last good backup is of %(when)s (UTC): too old. Look at the runs on System → Backups; run: juanku backup."
    ),
    "vital_saved": mark("All vital records are in the last good backup: %(of)s."),
    "vital_not_saved": mark(
        "Of %(of)s vital records, %(count)s are not wholly in the last good backup. Make one now: juanku backup."
    ),
    "backup_unproved": mark(
        "No backup was checked or rehearsed within 100 days (the last time: %(when)s). Run: juanku backups --rehearse."
    ),
    "no_ring_copy": mark(
        "No copy of the ring is registered. A set opens only by a ring that has its key: "
        "run juanku keys copy, onto a disk of its own."
    ),
    "ring_copy_late": mark(
        "Copies of the ring that do not open the last backup: %(names)s. Bring each here and run juanku keys copy."
    ),
    "ring_copies": mark("%(count)s registered copies of the ring open the last backup."),
    "backup_lacks": mark(
        "Files that could not be read whole and are not in the last backup: %(count)s. Run: juanku fixity mend."
    ),
    "backup_sets_damaged": mark(
        "Backups that do not verify: %(sets)s. Nothing is forgotten until their files are taken away."
    ),
    "upgrade_copy": mark(
        "A copy of the database from before the upgrade of %(when)s lies in %(path)s. What is destroyed stays readable "
        "in it: remove it once all works."
    ),
    "rehearsal_left": mark(
        "A rehearsal that was killed left a readable archive in %(path)s. Run it again, or remove the folder."
    ),
    "backups_answer": mark("The place of the backups answers."),
    "checked": mark("%(checked)s of %(objects)s stored files were read and checked within %(days)s days."),
    "checks_late": mark(
        "Stored files wait to be checked since %(since)s. Let serve run each day, or raise JUANKU_FIXITY_MB."
    ),
    "not_whole": mark("%(count)s stored files are not what was stored. Run: juanku fixity mend; look at the disk."),
    "not_whole_alone": mark(
        "%(count)s stored files are not what was stored, and no backup is named. "
        "Look for a copy; set JUANKU_BACKUP_URL."
    ),
    "commercial_secrets_only": mark("For commercial secrets (商业秘密). It is not approved for state secrets."),
    "error": mark("Cannot be looked at: %(error)s."),
    "broken_setting": mark("A setting or the ring cannot be used: %(reason)s."),
    "key_unavailable": mark("A key is not in the ring: %(key)s."),
    "unavailable": mark(
        "It does not answer, or lets nobody in: %(part)s (%(reason)s). "
        "See that it runs; then look at address, user and secret in the settings."
    ),
    "no_access": mark("This process may not read or write %(path)s."),
    "storage_full": mark("The disk is full."),
    "damaged": mark("Stored bytes are damaged: %(what)s."),
}


def told(part: Part, gettext: Callable[..., str]) -> str:
    """Return a finding in words."""
    facts: dict[str, object] = {"reason": "", "key": "", "part": "", "what": "", **part.facts}
    reason = str(facts["reason"])
    facts["reason"] = gettext(SETTING_REASONS[reason]) if reason in SETTING_REASONS else reason
    facts["places"] = [gettext(PLACES[each]) for each in part.facts.get("places", ())]
    shown = {
        name: gettext(", ").join(map(str, value)) if isinstance(value, list) else value for name, value in facts.items()
    }
    shown = {name: value or "–" if isinstance(value, str) else value for name, value in shown.items()}
    return gettext(WORDS.get(part.message, WORDS["error"]), **{"error": part.message, **shown})
