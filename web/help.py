"""Help: the handbook inside the product, and which of its places explains a page or a setting.

It tells nothing of what is kept, so that whoever cannot sign in may read it too.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, abort, render_template, request, send_from_directory, url_for
from werkzeug.wrappers import Response as BaseResponse

from web.handbook import CONTENTS, PARTS, PICTURES, part_of
from web.help_places import PLACES
from web.i18n import current_locale

pages = Blueprint("help", __name__, url_prefix="/help")

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
