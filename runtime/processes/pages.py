"""The web application over the parts."""

from collections.abc import Callable
from functools import partial

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from archive.cataloguing.list_columns import ChosenColumns
from archive.errors import Unavailable
from runtime.aids import aids_of
from runtime.celery_app import answers, networked
from runtime.processes.figures import figures
from runtime.processes.health import looks
from runtime.settings import shown
from runtime.wiring.parts import Parts
from web.app import create_app
from web.services import Finding, HouseServices, IndexPart, IndexStanding, Services


def index_standing(parts: Parts) -> IndexStanding | None:
    """Return how the search index stands; None when it does not answer."""
    try:
        about, status, lag = parts.engine.about(), parts.rebuilder.status(), parts.rebuilder.lag()
    except Unavailable:
        return None
    shown = [
        IndexPart(one.partition.removesuffix("n"), one.partition.endswith("n"), one.rows, one.entries, one.broken)
        for one in status
        if one.rows or one.entries or one.broken
    ]
    return IndexStanding(about["engine"], about["version"], shown, lag.waiting, lag.since)


def _examine(parts: Parts, gettext: Callable[..., str]) -> list[Finding]:
    from runtime.doctor import doctor  # noqa: PLC0415 (a start does without it)
    from runtime.doctor.words import told  # noqa: PLC0415

    return [Finding(part.name, part.state.value, told(part, gettext)) for part in doctor(parts.settings)]


def house_services(parts: Parts) -> HouseServices:
    """Name the parts that the pages of the house use."""
    return HouseServices(
        roster=parts.roster,
        invitations=parts.invitations,
        rights=parts.rights,
        organisation=parts.organisation,
        groups=parts.groups,
        fonds=parts.fonds,
        scheme=parts.scheme,
        places=parts.places,
        subjects=parts.subjects,
        jobs=parts.job_care,
        safekeeping=parts.safekeeping,
        fixity=parts.fixity,
        mending=parts.mending,
        index=lambda: index_standing(parts),
        examine=partial(_examine, parts),
        settings=lambda: shown(parts.settings),
        broker=lambda: answers(parts.settings) if networked(parts.settings) else None,
    )


def services(parts: Parts) -> Services:
    """Name the parts that pages use."""
    return Services(
        db=parts.db,
        clock=parts.clock,
        guard=parts.guard,
        people=parts.people,
        house=house_services(parts),
        records=parts.records,
        reader=parts.reader,
        doubles=parts.doubles,
        corrections=parts.corrections,
        lending=parts.lending,
        filing=parts.filing,
        filing_many=parts.filing_many,
        filing_deadlines=parts.filing_deadlines,
        steps=parts.steps,
        sending_back=parts.sending_back,
        hand_ins=parts.hand_ins,
        intake=parts.intake,
        files=parts.files,
        attachments=parts.attachments,
        proposals=parts.proposals,
        bringing=parts.bringing,
        bulk=parts.bulk,
        bulk_moves=parts.bulk_moves,
        moving=parts.moving,
        dossiers=parts.dossiers,
        arranging=parts.arranging,
        relations=parts.relations,
        papers=parts.papers,
        dossier_templates=parts.dossier_templates,
        vital=parts.vital,
        telling=parts.telling,
        retention=parts.retention, bags=parts.bags, receiving=parts.receiving,
        columns=ChosenColumns(parts.db),
        drafts=parts.drafts,
        forms=parts.forms,
        typesetter=parts.typesetter,
        why=parts.why, questions=parts.questions,
        unlocking=parts.unlocking, renditions=parts.renditions, rereading=parts.rereading,
        search=parts.search,
        places=parts.places,
        subjects=parts.subjects,
        shelving=parts.shelving,
        blocks=parts.blocks,
        checks=parts.checks,
        stock=parts.stock,
        once=parts.once,
        log_view=parts.log_view,
        readings=parts.readings,
        vault=parts.vault,
        store=parts.store,
        drawer=parts.drawer,
        pictures=parts.pictures,
        office=parts.office_pages,
        aids=aids_of(parts.settings),
        secret=bytes.fromhex(parts.ring.token("web", "form cookie")),
        https=parts.settings.https, api_per_minute=parts.settings.api_per_minute,
        metrics_token=parts.settings.metrics_token, figures=figures(parts), looks=looks(parts),
    )  # fmt: skip


def make_app(parts: Parts) -> Flask:
    """Return the web application. Of what proxies say of who asks, as much is believed as the house has proxies."""
    app = create_app(services(parts))
    if number := parts.settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=number, x_proto=number)  # type: ignore[method-assign]
    return app
