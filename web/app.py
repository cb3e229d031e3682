"""The Flask application: everything a request passes through before and after its page."""

from typing import cast

from flask import Flask, Response, g, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, NotFound
from web import assets, filters, i18n, security
from web import help as handbook_help
from web import watched as watching
from web.account import pages as account_pages
from web.api.mount import mount
from web.arriving.bring_in import pages as bring_in_pages
from web.arriving.doubles import pages as double_pages
from web.arriving.proposals import pages as proposal_pages
from web.arriving.put_aside import pages as put_aside_pages
from web.arriving.scans import pages as scan_pages
from web.arriving.sheet_files import pages as sheet_file_pages
from web.arriving.uploads import pages as upload_pages
from web.browsing import pages as browsing_pages
from web.cataloguing.bulk import pages as bulk_pages
from web.cataloguing.bulk_moves import pages as bulk_move_pages
from web.cataloguing.corrections import pages as correction_pages
from web.cataloguing.excerpts import pages as excerpt_pages
from web.cataloguing.moving import pages as moving_pages
from web.cataloguing.records import pages as record_pages
from web.cataloguing.relations import pages as relation_pages
from web.cataloguing.sending_back import pages as sending_back_pages
from web.cataloguing.vital import pages as vital_pages
from web.cataloguing.why import pages as why_pages
from web.custody.blocks import pages as block_pages
from web.custody.checks import pages as check_pages
from web.custody.copies import pages as copy_pages
from web.custody.dossiers import pages as dossier_pages
from web.custody.hand_in_check import pages as hand_in_check_pages
from web.custody.hand_in_sign import pages as hand_in_sign_pages
from web.custody.hand_ins import pages as hand_in_pages
from web.custody.labels import pages as label_pages
from web.custody.placing import pages as placing_pages
from web.custody.required_papers import pages as paper_pages
from web.custody.shelves import pages as shelf_pages
from web.custody.steps import pages as step_pages
from web.custody.stocktaking import pages as stocktaking_pages
from web.days import pages as day_pages
from web.deadlines import pages as deadline_pages
from web.describing.drafts import pages as draft_pages
from web.desk import pages as desk_pages
from web.finding import pages as finding_pages
from web.frame import frame
from web.health import pages as health_pages
from web.history import pages as history_pages
from web.house.backups import pages as backup_pages
from web.house.calendar import pages as calendar_pages
from web.house.category_fields import pages as category_field_pages
from web.house.category_moves import pages as category_move_pages
from web.house.deliveries import pages as delivery_pages
from web.house.fixity import pages as fixity_pages
from web.house.fonds import pages as fonds_pages
from web.house.levels import pages as level_pages
from web.house.links import pages as link_pages
from web.house.organisation import pages as organisation_pages
from web.house.people import pages as people_pages
from web.house.person_forms import pages as person_pages
from web.house.places import pages as place_pages
from web.house.rereading import pages as rereading_pages
from web.house.rules import pages as rule_pages
from web.house.schemes import pages as scheme_pages
from web.house.subjects import pages as subject_pages
from web.house.system import pages as system_pages
from web.house.templates import pages as template_pages
from web.lending.attached import pages as attached_pages
from web.lending.basket import pages as basket_pages
from web.lending.borrowing import pages as loan_pages
from web.lending.copies import pages as marked_copy_pages
from web.lending.counter import pages as counter_pages
from web.lending.custody import pages as custody_pages
from web.lending.figures import pages as figure_pages
from web.lending.paper_requests import pages as paper_request_pages
from web.lending.readers import pages as reader_pages
from web.lending.register import pages as register_pages
from web.lending.requests import pages as request_pages
from web.lending.rounds import pages as round_pages
from web.lending.rule_books import pages as rule_book_pages
from web.lending.uses import pages as use_pages
from web.lists import pages as list_pages
from web.messages import pages as message_pages
from web.metrics import pages as metric_pages
from web.prints.form_templates import pages as form_template_pages
from web.prints.pages import pages as print_pages
from web.reading.files import pages as file_pages
from web.retention.appraisal_report import pages as appraisal_report_pages
from web.retention.appraisals import pages as appraisal_pages
from web.retention.audit_checklists import pages as audit_checklist_pages
from web.retention.audit_findings import pages as audit_finding_pages
from web.retention.audit_report import pages as audit_report_pages
from web.retention.audits import pages as audit_pages
from web.retention.bags_in import pages as bag_in_pages
from web.retention.consulting import pages as consulting_pages
from web.retention.deriving import pages as deriving_pages
from web.retention.destroyed import pages as destroyed_pages
from web.retention.destructions import pages as destruction_pages
from web.retention.events import pages as event_pages
from web.retention.forecast import pages as forecast_pages
from web.retention.holds import pages as hold_pages
from web.retention.matters import pages as matter_pages
from web.retention.renewals import pages as renewal_pages
from web.retention.schedules import pages as schedule_pages
from web.retention.secrecy import pages as secrecy_pages
from web.retention.terms_due import pages as terms_due_pages
from web.retention.transfer_bags import pages as transfer_bag_pages
from web.retention.transfer_list import pages as transfer_list_pages
from web.retention.transfers import pages as transfer_pages
from web.routes import LateRule
from web.services import Services
from web.sheets import pages as sheet_pages
from web.signing import PUBLIC, load_identity
from web.signing import pages as signing_pages
from web.words.errors import ERRORS
from web.words.faults import explain, status_of


def create_app(wired: Services) -> Flask:
    """Make the application over wired services.

    Pages need a signed-in person unless their endpoint is in ``web.signing.PUBLIC``.
    """
    app = Flask("web")
    app.url_rule_class = LateRule
    app.secret_key = wired.secret
    app.extensions["juanku"] = wired
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    security.init_app(app, https=wired.https)
    i18n.init_app(app)
    filters.init_app(app)
    assets.init_app(app)
    watching.init_app(app)
    app.before_request(load_identity)
    app.before_request(_signed_in_only)
    CSRFProtect(app)
    for pages in (
        signing_pages, desk_pages, record_pages, upload_pages, file_pages, put_aside_pages, scan_pages, finding_pages,
        browsing_pages, sheet_pages, history_pages, label_pages, proposal_pages, double_pages, correction_pages,
        people_pages, person_pages, link_pages, organisation_pages, level_pages, fonds_pages, scheme_pages,
        category_field_pages, category_move_pages, place_pages, rule_pages,
        subject_pages, system_pages, backup_pages, health_pages,
        account_pages, bring_in_pages, sheet_file_pages, moving_pages, dossier_pages, relation_pages, why_pages,
        list_pages, draft_pages, fixity_pages, rereading_pages,
        metric_pages, shelf_pages, placing_pages, copy_pages, print_pages, form_template_pages, vital_pages,
        block_pages, stocktaking_pages, check_pages, hand_in_pages, hand_in_check_pages, hand_in_sign_pages,
        sending_back_pages, step_pages, paper_pages, template_pages, bulk_pages, loan_pages, request_pages,
        bulk_move_pages, basket_pages, attached_pages, round_pages, paper_request_pages, custody_pages, figure_pages,
        use_pages, reader_pages, excerpt_pages,
        counter_pages, register_pages, rule_book_pages, deadline_pages, message_pages, calendar_pages, delivery_pages,
        schedule_pages, event_pages, hold_pages, terms_due_pages, destruction_pages, destroyed_pages, secrecy_pages,
        deriving_pages,
        renewal_pages, transfer_pages, transfer_bag_pages, transfer_list_pages, bag_in_pages,
        appraisal_pages, appraisal_report_pages, consulting_pages, matter_pages, forecast_pages, marked_copy_pages,
        audit_checklist_pages, audit_finding_pages, audit_report_pages, audit_pages, day_pages,
    ):  # fmt: skip
        app.register_blueprint(pages)
    app.add_url_rule("/healthz", "healthz", lambda: Response("ok\n", mimetype="text/plain"))
    app.context_processor(frame)
    handbook_help.init_app(app)
    i18n.speak_anew(app)
    _tell_faults(app)
    mount(app, wired)
    app.wsgi_app = watching.watched(app.wsgi_app)  # type: ignore[assignment, method-assign]  # stands before both applications
    return app


def _signed_in_only() -> BaseResponse | None:
    """Send a stranger to the sign-in page, whatever they asked for: what exists and what does not look alike."""
    if g.identity is not None or request.endpoint in PUBLIC:
        return None
    if request.method == "GET" and not _wants_json():
        target = request.full_path if request.query_string else request.path
        return redirect(url_for("signing.sign_in", next=target if target != "/" else None))
    return _told("signed_out")


def _wants_json() -> bool:
    return request.path.startswith("/uploads/") or request.accept_mimetypes.best == "application/json"


def _tell_faults(app: Flask) -> None:
    @app.errorhandler(ArchiveError)
    def _archive_error(error: ArchiveError) -> BaseResponse:
        if isinstance(error, NotFound):
            return _told("not_found")
        return _answer(status_of(error), explain(error, i18n.current_locale()), error.code)

    @app.errorhandler(CSRFError)
    def _form_expired(_error: CSRFError) -> BaseResponse:
        return _told("form_expired")

    @app.errorhandler(RequestEntityTooLarge)
    def _too_large(_error: RequestEntityTooLarge) -> BaseResponse:
        told = cast("security.MemoryRequest", request).too_large()
        return _answer(413, explain(told, i18n.current_locale()), told.code)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> BaseResponse:
        if error.code in {404, 405}:
            return _told("not_found")
        if error.code is not None and 300 <= error.code < 400:
            return make_response(error.get_response())
        return _told("bad_request" if error.code and error.code < 500 else "error")

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> BaseResponse:
        app.logger.error("page failed: %s", request.endpoint, exc_info=error)
        return _told("error")


def _told(code: str) -> BaseResponse:
    words = ERRORS[code]
    lines = [_(text) for text in (words.happened, words.kept, words.todo) if text]
    return _answer(words.status, lines, code)


def _answer(status: int, lines: list[str], code: str) -> BaseResponse:
    """Answer a fault. The page holds nothing of the request, so that hidden and absent answer byte for byte alike."""
    if _wants_json():
        return make_response(jsonify(code=code, messages=lines), status)
    return make_response(render_template("fault.html", lines=lines, status=status), status)
