"""The web application over the parts."""

from flask import Flask

from runtime.wiring import Parts
from web.app import create_app
from web.services import Services


def services(parts: Parts) -> Services:
    """Name the parts that pages use."""
    return Services(
        db=parts.db,
        clock=parts.clock,
        guard=parts.guard,
        people=parts.people,
        records=parts.records,
        reader=parts.reader,
        filing=parts.filing,
        intake=parts.intake,
        files=parts.files,
        proposals=parts.proposals,
        bringing=parts.bringing,
        moving=parts.moving,
        why=parts.why,
        unlocking=parts.unlocking,
        search=parts.search,
        log_view=parts.log_view,
        readings=parts.readings,
        vault=parts.vault,
        store=parts.store,
        drawer=parts.drawer,
        pictures=parts.pictures,
        secret=bytes.fromhex(parts.ring.token("web", "form cookie")),
    )


def make_app(parts: Parts) -> Flask:
    """Return the web application."""
    return create_app(services(parts))
