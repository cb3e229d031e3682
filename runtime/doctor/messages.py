"""What the doctor finds of the ways by which messages leave the house."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select

from archive.model import Delivery
from archive.reminding.channels import BAD, noted_ways
from archive.reminding.delivering import NotSent
from runtime.sending.ways import mail_of
from runtime.wiring.parts import Parts


def messages(parts: Parts) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Say which ways there are, whether the mail server takes mail, and how many messages did not go out."""
    if parts.ways.senders:
        yield from _of_sender(parts)
    else:
        with parts.db.reading() as session:
            noted = sorted(each.value for each in noted_ways(session))
        yield ("ok", "ways_elsewhere", {"ways": ", ".join(noted)}) if noted else ("ok", "no_ways", {})
    with parts.db.reading() as session:
        count = session.scalar(select(func.count()).where(Delivery.state.in_(BAD))) or 0
    if count:
        yield "warning", "not_sent", {"count": count}


def _of_sender(parts: Parts) -> Iterator[tuple[str, str, dict[str, Any]]]:
    ways = parts.ways
    yield "ok", "ways", {"ways": ", ".join(sorted(each.value for each in ways.senders)), "address": ways.address}
    if not parts.settings.address:
        yield "warning", "no_address", {"address": ways.address}
    if mail := mail_of(parts.settings):
        where = parts.settings.mail_url
        try:
            mail.check()
            yield "ok", "mail", {"address": where}
        except NotSent as error:
            yield "broken", error.reason, {"address": where}
