"""Whether the process lives and its parts work, for whatever watches it. Nothing here tells of what is kept."""

from flask import Blueprint, Response, current_app, jsonify, request

from web.services import services

pages = Blueprint("health", __name__)

NEAR = ("127.0.0.1", "::1")


@pages.get("/health/live")
def live() -> Response:
    """Say that the process answers."""
    return jsonify(live=True)


@pages.get("/health/ready")
def ready() -> Response:
    """Say whether every part works; which one does not is told on this machine alone."""
    found = {name: _works(name) for name in services().looks}
    well = all(found.values())
    parts = {name: "ok" if works else "failed" for name, works in found.items()}
    reply = jsonify(ready=well, **({"parts": parts} if request.remote_addr in NEAR else {}))
    reply.status_code = 200 if well else 503
    return reply


def _works(name: str) -> bool:
    try:
        return services().looks[name]()
    except Exception as error:
        current_app.logger.warning("not ready: %s", name, exc_info=error)
        return False
