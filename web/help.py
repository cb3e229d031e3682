"""Help: the handbook inside the product, and which of its places explains a page or a setting.

It tells nothing of what is kept, so that whoever cannot sign in may read it too.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, abort, render_template, request, send_from_directory, url_for
from werkzeug.wrappers import Response as BaseResponse

from web.handbook import CONTENTS, PARTS, PICTURES, part_of
from web.i18n import current_locale

pages = Blueprint("help", __name__, url_prefix="/help")

PLACES: Mapping[str, str] = {
    "signing.sign_in": "staff#sign-in",
    "signing.signed_in": "staff#sign-in",
    "links.show": "staff#sign-in",
    "links.choose": "staff#sign-in",
    "account.mine": "staff#my-account",
    "account.set_password": "staff#my-account",
    "account.make_token": "staff#my-account",
    "desk.desk": "staff#find-your-way",
    "desk.style": "staff#find-your-way",
    "finding.search": "staff#search",
    "browsing.scheme": "staff#browse",
    "browsing.category": "staff#browse",
    "browsing.projects": "staff#browse",
    "browsing.place": "staff#browse",
    "records.by_number": "staff#find-your-way",
    "records.show": "staff#open",
    "files.page": "staff#open",
    "files.find": "staff#open",
    "why.ask": "staff#when-you-cannot-find-something",
    "why.reply": "administrator#why-someone-sees-nothing",
    "why.answer": "staff#when-you-cannot-find-something",
    "history.record_history": "staff#open",
    "records.new": "archivist#catalogue",
    "records.create": "archivist#catalogue",
    "records.edit": "archivist#catalogue",
    "records.describe": "archivist#catalogue",
    "records.file": "archivist#file",
    "uploads.mine": "archivist#add-files",
    "put_aside.waiting": "archivist#add-files",
    "put_aside.unlock": "archivist#add-files",
    "scans.doubtful": "archivist#add-files",
    "proposals.waiting": "archivist#proposals",
    "proposals.take_ticked": "archivist#proposals",
    "doubles.waiting": "archivist#perhaps-the-same",
    "loans.mine": "staff#borrow",
    "loans.borrow": "staff#borrow",
    "loans.ask": "staff#borrow",
    "loans.describing": "staff#borrow",
    "loans.describe": "staff#borrow",
    "loans.extend": "staff#borrow",
    "loans.effect": "staff#borrow",
    "loan_requests.waiting": "staff#decide-on-loans",
    "loan_requests.show": "staff#decide-on-loans",
    "loan_requests.decide": "staff#decide-on-loans",
    "loan_requests.answer": "staff#decide-on-loans",
    "loan_requests.found": "staff#decide-on-loans",
    "loan_requests.deputies": "staff#decide-on-loans",
    "loan_requests.name_deputy": "staff#decide-on-loans",
    "counter.show": "archivist#loans",
    "counter.take": "archivist#loans",
    "counter.reports": "archivist#loans",
    "counter.settle": "archivist#loans",
    "loan_register.every": "archivist#loans",
    "loan_register.sheet": "archivist#loans",
    "loan_register.printed": "archivist#loans",
    "counter.slip": "archivist#loans",
    "basket.show": "staff#borrow",
    "basket.ask": "staff#borrow",
    "rounds.every": "archivist#circulation-slips",
    "rounds.new": "archivist#circulation-slips",
    "rounds.begin": "archivist#circulation-slips",
    "rounds.show": "archivist#circulation-slips",
    "rounds.slip": "archivist#circulation-slips",
    "rounds.issue": "archivist#circulation-slips",
    "paper_requests.every": "archivist#standing-custody",
    "paper_requests.show": "archivist#standing-custody",
    "paper_requests.decide": "archivist#standing-custody",
    "paper_requests.answer": "archivist#standing-custody",
    "standing_custody.every": "archivist#standing-custody",
    "standing_custody.give": "archivist#standing-custody",
    "standing_custody.show": "archivist#standing-custody",
    "standing_custody.slip": "archivist#standing-custody",
    "standing_custody.issue": "archivist#standing-custody",
    "standing_custody.hand_over": "archivist#standing-custody",
    "standing_custody.sign": "archivist#standing-custody",
    "loan_figures.show": "archivist#loans",
    "loan_figures.sheet": "archivist#loans",
    "outside_readers.every": "archivist#use-register",
    "outside_readers.show": "archivist#use-register",
    "outside_readers.reveal": "archivist#use-register",
    "uses.every": "archivist#use-register",
    "uses.sheet": "archivist#use-register",
    "uses.printed": "archivist#use-register",
    "uses.find": "archivist#use-register",
    "uses.new": "archivist#use-register",
    "uses.register": "archivist#use-register",
    "uses.show": "archivist#use-register",
    "uses.reveal": "archivist#use-register",
    "uses.add": "archivist#use-register",
    "uses.effect": "archivist#use-register",
    "uses.letter": "archivist#use-register",
    "excerpts.every": "archivist#excerpts",
    "excerpts.choose": "archivist#excerpts",
    "excerpts.make": "archivist#excerpts",
    "marked_copies.every": "archivist#marked-copies",
    "marked_copies.sheet": "archivist#marked-copies",
    "marked_copies.compare": "archivist#marked-copies",
    "marked_copies.tracing": "administrator#tracing-a-copy",
    "marked_copies.trace": "administrator#tracing-a-copy",
    "rule_books.routes": "archivist#who-decides-on-loans",
    "rule_books.keep_routes": "archivist#who-decides-on-loans",
    "rule_books.loans": "archivist#who-decides-on-loans",
    "rule_books.keep_loans": "archivist#who-decides-on-loans",
    "corrections.new": "archivist#corrections",
    "corrections.ask": "archivist#corrections",
    "corrections.every": "archivist#corrections",
    "corrections.show": "archivist#corrections",
    "corrections.decide": "archivist#corrections",
    "hand_ins.every": "staff#hand-ins",
    "hand_ins.new": "staff#hand-ins",
    "hand_ins.show": "staff#hand-ins",
    "hand_ins.drafts": "staff#hand-ins",
    "hand_in_check.show": "archivist#checking-a-batch",
    "hand_in_check.take": "archivist#checking-a-batch",
    "hand_in_check.report": "archivist#checking-a-batch",
    "hand_in_sign.show": "archivist#checking-a-batch",
    "steps.board": "archivist#steps-into-custody",
    "steps.run": "archivist#steps-into-custody",
    "steps.deadlines": "archivist#steps-into-custody",
    "sending_back.waiting": "archivist#steps-into-custody",
    "bulk.every": "archivist#editing-many-records",
    "bulk.new": "archivist#editing-many-records",
    "bulk.show": "archivist#editing-many-records",
    "bulk_moves.show": "archivist#editing-many-records",
    "papers.board": "archivist#required-papers",
    "papers.show": "archivist#required-papers",
    "bring_in.mine": "archivist#bringing-in-a-spreadsheet",
    "bring_in.take": "archivist#bringing-in-a-spreadsheet",
    "bring_in.columns": "archivist#bringing-in-a-spreadsheet",
    "bring_in.say": "archivist#bringing-in-a-spreadsheet",
    "bring_in.check": "archivist#bringing-in-a-spreadsheet",
    "bring_in.show": "archivist#bringing-in-a-spreadsheet",
    "dossiers.contents": "archivist#dossiers",
    "dossiers.order": "archivist#dossiers",
    "dossiers.put": "archivist#dossiers",
    "deadlines.board": "staff#messages",
    "messages.mine": "staff#messages",
    "messages.show": "staff#messages",
    "messages.ways": "staff#messages",
    "deliveries.every": "administrator#ways-of-telling",
    "calendar.show": "administrator#calendar",
    "vital.waiting": "archivist#vital-records",
    "vital.mark": "archivist#vital-records",
    "terms_due.board": "archivist#retention",
    "schedules.every": "archivist#retention",
    "events.every": "archivist#events",
    "holds.every": "archivist#holds",
    "destructions.every": "archivist#destructions",
    "destroyed.every": "archivist#destructions",
    "transfers.every": "archivist#transfers",
    "transfers.show": "archivist#transfers",
    "transfers.new": "archivist#transfers",
    "transfers.begin": "archivist#transfers",
    "bags_in.every": "archivist#transfers",
    "bags_in.new": "archivist#transfers",
    "bags_in.begin": "archivist#transfers",
    "bags_in.show": "archivist#transfers",
    "secrecy.board": "archivist#secrecy-periods",
    "secrecy.reviews": "archivist#secrecy-periods",
    "secrecy.review": "archivist#secrecy-periods",
    "secrecy.new": "archivist#secrecy-periods",
    "secrecy.ask": "archivist#secrecy-periods",
    "secrecy.period": "archivist#secrecy-periods",
    "secrecy.periods": "archivist#secrecy-periods",
    "matters.every": "archivist#unsettled-matters",
    "appraisals.every": "archivist#appraisal",
    "audits.every": "administrator#audits",
    "audit_findings.every": "staff#findings-of-audits",
    "forecast.show": "archivist#retention",
    "renewals.every": "archivist#renewals",
    "renewals.show": "archivist#renewals",
    "renewals.new": "archivist#renewals",
    "renewals.ask": "archivist#renewals",
    "moving.move": "archivist#moving-to-another-category",
    "labels.choose": "archivist#labels-and-a-wrong-file",
    "labels.output": "archivist#labels-and-a-wrong-file",
    "shelves.rooms": "archivist#shelves",
    "placing.show": "archivist#shelve-by-scanning",
    "placing.take": "archivist#shelve-by-scanning",
    "placing.to_move": "archivist#shelve-by-scanning",
    "copies.new": "archivist#copies",
    "blocks.new": "archivist#copies",
    "checks.due": "archivist#checks",
    "stocktaking.every": "archivist#stock-taking",
    "stocktaking.show": "archivist#stock-taking",
    "stocktaking.scan": "archivist#stock-taking",
    "prints.choose": "archivist#forms",
    "prints.chosen": "archivist#forms",
    "prints.output": "archivist#forms",
    "templates.every": "administrator#dossier-templates",
    "templates.show": "administrator#dossier-templates",
    "templates.keep": "administrator#dossier-templates",
    "form_templates.every": "administrator#forms",
    "form_templates.show": "administrator#forms",
    "form_templates.preview": "administrator#forms",
    "form_templates.keep": "administrator#forms",
    "people.every": "administrator#people",
    "people.show": "administrator#people",
    "people.link": "administrator#people",
    "system.show": "administrator#system",
    "system.parts": "doctor#the-doctor-and-jobs",
    "backups.show": "administrator#backup",
    "fixity.show": "administrator#stored-files",
    "rereading.every": "administrator#read-files-again",
    "rereading.show": "administrator#read-files-again",
    "levels.show": "administrator#levels",
    "organisation.show": "administrator#organisation",
    "fonds.every": "administrator#fonds-and-schemes",
    "places.every": "administrator#places",
    "rules.every": "administrator#number-rules",
    "subjects.every": "administrator#subjects",
    "schemes.show": "administrator#fonds-and-schemes",
    "history.log": "auditor#the-log",
    "person.new": "administrator#people",
    "code": "setting-up#in-the-browser",
    "step": "setting-up#in-the-browser",
}
"""The place of the handbook, part and anchor, that explains the page an endpoint gives.

An endpoint of a family of pages (``people``, ``levels`` …) that is not named has the place of the family's first page.
"""

SETTINGS: Mapping[str, str] = {
    "JUANKU_HOME": "settings#folders-and-keys",
    "JUANKU_KEYS": "settings#folders-and-keys",
    "JUANKU_DATABASE_URL": "settings#database",
    "JUANKU_DATABASE_OWNER_URL": "settings#database",
    "JUANKU_DATABASE_ADMIN_URL": "settings#database",
    "JUANKU_STORE_URL": "settings#object-store",
    "JUANKU_STORE_KEY": "settings#object-store",
    "JUANKU_STORE_SECRET": "settings#object-store",
    "JUANKU_STORE_SWEEP_KEY": "settings#object-store",
    "JUANKU_STORE_SWEEP_SECRET": "settings#object-store",
    "JUANKU_STORE_DESTROY_KEY": "settings#object-store",
    "JUANKU_STORE_DESTROY_SECRET": "settings#object-store",
    "JUANKU_STORE_WITNESS_BUCKET": "settings#object-store",
    "JUANKU_STORE_WITNESS_KEY": "settings#object-store",
    "JUANKU_STORE_WITNESS_SECRET": "settings#object-store",
    "JUANKU_STORE_CA": "settings#object-store",
    "JUANKU_STORE_REGION": "settings#object-store",
    "JUANKU_STORE_ADMIN_KEY": "settings#object-store",
    "JUANKU_STORE_ADMIN_SECRET": "settings#object-store",
    "JUANKU_SEARCH_URL": "settings#search",
    "JUANKU_SEARCH_PREFIX": "settings#search",
    "JUANKU_SEARCH_USER": "settings#search",
    "JUANKU_SEARCH_PASSWORD": "settings#search",
    "JUANKU_SEARCH_API_KEY": "settings#search",
    "JUANKU_SEARCH_CA": "settings#search",
    "JUANKU_SEARCH_ADMIN_USER": "settings#search",
    "JUANKU_SEARCH_ADMIN_PASSWORD": "settings#search",
    "JUANKU_BROKER_URL": "settings#broker",
    "JUANKU_BROKER_CA": "settings#broker",
    "JUANKU_BACKUP_URL": "settings#backups",
    "JUANKU_BACKUP_KEY": "settings#backups",
    "JUANKU_BACKUP_SECRET": "settings#backups",
    "JUANKU_BACKUP_CA": "settings#backups",
    "JUANKU_BACKUP_REGION": "settings#backups",
    "JUANKU_BACKUP_DAYS": "settings#backups",
    "JUANKU_FIXITY_DAYS": "settings#stored-files",
    "JUANKU_COOLING_DAYS": "settings#destructions",
    "JUANKU_WIPE_HOUR": "settings#destructions",
    "JUANKU_FIXITY_MB": "settings#stored-files",
    "JUANKU_PORT": "settings#web",
    "JUANKU_HOST": "settings#web",
    "JUANKU_HTTPS": "settings#web",
    "JUANKU_PROXIES": "settings#web",
    "JUANKU_WEB_PROCESSES": "settings#web",
    "JUANKU_WEB_THREADS": "settings#web",
    "JUANKU_API_PER_MINUTE": "settings#web",
    "JUANKU_WORKER_THREADS": "settings#work-in-the-background",
    "JUANKU_PICTURES_MB": "settings#work-in-the-background",
    "JUANKU_CLAMAV": "settings#other-programs",
    "JUANKU_SOFFICE": "settings#other-programs",
    "JUANKU_OCR": "settings#other-programs",
    "JUANKU_MESSAGE_DAYS": "settings#messages-to-people",
    "JUANKU_ADDRESS": "settings#messages-to-people",
    "JUANKU_MAIL_URL": "settings#messages-to-people",
    "JUANKU_MAIL_FROM": "settings#messages-to-people",
    "JUANKU_MAIL_USER": "settings#messages-to-people",
    "JUANKU_MAIL_PASSWORD": "settings#messages-to-people",
    "JUANKU_MAIL_CA": "settings#messages-to-people",
    "JUANKU_SMS_URL": "settings#messages-to-people",
    "JUANKU_SMS_TOKEN": "settings#messages-to-people",
    "JUANKU_WECOM_URL": "settings#messages-to-people",
    "JUANKU_DINGTALK_URL": "settings#messages-to-people",
    "JUANKU_DINGTALK_SECRET": "settings#messages-to-people",
    "JUANKU_FEISHU_URL": "settings#messages-to-people",
    "JUANKU_FEISHU_SECRET": "settings#messages-to-people",
    "JUANKU_LOG_LEVEL": "settings#finding-faults",
    "JUANKU_LOG_FORMAT": "settings#finding-faults",
    "JUANKU_METRICS_TOKEN": "settings#finding-faults",
    "JUANKU_OTLP_URL": "settings#finding-faults",
    "JUANKU_FAILPOINT": "settings#finding-faults",
}
"""The place that explains each setting."""

_FIRST = (
    {"person": "person.new", "people": "people.every"}
    | {
        place.partition(".")[0]: place
        for place in (
            "terms_due.board",
            "schedules.every",
            "events.every",
            "holds.every",
            "destructions.every",
            "destroyed.every",
            "secrecy.board",
            "transfers.every",
            "matters.every",
            "appraisals.every",
            "audits.every",
            "audit_findings.every",
            "forecast.show",
            "renewals.every",
            "shelves.rooms",
            "copies.new",
            "blocks.new",
            "checks.due",
            "stocktaking.every",
            "organisation.show",
            "levels.show",
            "fonds.every",
            "schemes.show",
            "places.every",
            "rules.every",
        )
    }
    | {"subjects": "subjects.every", "category_fields": "schemes.show", "category_moves": "schemes.show"}
    | {"appraisal_report": "appraisals.every", "consulting": "appraisals.every"}
    | {"audit_checklists": "audits.every", "audit_report": "audits.every"}
    | {"transfer_bags": "transfers.every", "transfer_list": "transfers.every", "bags_in": "bags_in.every"}
)


def place_of(endpoint: str | None) -> str | None:
    """Return the place that explains an endpoint's page; None where none is named."""
    endpoint = endpoint or ""
    return PLACES.get(endpoint) or PLACES.get(_FIRST.get(endpoint.partition(".")[0], ""))


def address_of(place: str | None) -> str:
    """Return the address of a place; of the contents for None."""
    part, _, anchor = (place or "").partition("#")
    return url_for("help.show", part=part, _anchor=anchor or None) if part else url_for("help.contents")


@pages.get("")
def contents() -> str:
    """Show what parts there are."""
    return _page(CONTENTS)


@pages.get("/<part>")
def show(part: str) -> str:
    """Show a part."""
    if part not in PARTS:
        abort(404)
    return _page(part)


@pages.get("/pictures/<name>")
def picture(name: str) -> BaseResponse:
    """Send one of the handbook's pictures."""
    return send_from_directory(PICTURES, name, mimetype="image/webp")


def _page(part: str) -> str:
    locale = current_locale()
    titles = {name: part_of(locale, name).title.words for name in PARTS}
    return render_template("help.html", part=part, shown=part_of(locale, part), titles=titles)


def _told() -> dict[str, Any]:
    def setting_help(variable: str) -> str:
        return address_of(SETTINGS.get(variable))

    return {"help_address": address_of(place_of(request.endpoint)), "setting_help": setting_help}


def init_app(app: Flask) -> None:
    """Give an app its help, and every page the address of the place that explains it."""
    app.register_blueprint(pages)
    app.context_processor(_told)
