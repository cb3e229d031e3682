"""Setting up a house in the browser, before there is an archive: for whoever holds the code of the terminal alone.

What is typed stays in this process's memory until the end, when one act makes the house; passwords are kept as their
hashes. Once the house stands, these pages are gone.
"""

import secrets
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from flask import Flask, Response, g, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput
from archive.house.fonds import check_fonds
from archive.house.founding import Founder, Plan
from archive.house.levels import namings
from archive.identity import Role
from archive.people.managing import LOCALES, check_account
from archive.people.passwords import SHORTEST, Passwords, check_password
from archive.scheme import shipped
from archive.scheme.fields import check_names
from web import assets, filters, i18n, security
from web import help as handbook_help
from web.asking import NAMES, told
from web.words import mark
from web.words.roles import role_word

MOST_TRIES = 10
"""Wrong codes after which the code is dead. A start of ``serve`` makes a new one."""

YEAR = 365 * 24 * 3600

STEPS: Mapping[str, str] = {
    "language": mark("Language"),
    "house": mark("House"),
    "levels": mark("Levels"),
    "fonds": mark("First fonds"),
    "people": mark("First people"),
    "ring": mark("Key ring"),
}

FOUNDERS = (Role.ARCHIVIST, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)

ZONES = ("Asia/Shanghai", "Asia/Hong_Kong", "Asia/Macau", "Asia/Taipei", "Asia/Urumqi", "Asia/Singapore", "UTC")

FIRST_VALUES: Mapping[str, Mapping[str, str]] = {
    "house": {"zone": ZONES[0]},
    "levels": {"naming": "grades"},
    "fonds": {"scheme": "property"},
    "people": {"archivist-login": "archivist", "security_admin-login": "security", "audit_admin-login": "audit"},
}


@dataclass
class Setup:
    """One set-up: the code that opens it, who holds it, and what was typed, step by step.

    ``found`` makes the house, ``spent`` hears that the code was used. ``home`` and ``keys`` are the folders shown. An
    empty code opens nothing.
    """

    code: str
    found: Callable[[Plan], None]
    spent: Callable[[], None]
    home: str
    keys: str
    holder: str | None = None
    tries: int = 0
    typed: dict[str, dict[str, str]] = field(default_factory=dict)
    hashes: dict[Role, str] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    def open(self, code: str) -> str | None:
        """Return the holder's key for the right code, once; None for a wrong code or a dead one."""
        with self.lock:
            if self.dead:
                return None
            self.tries += 1
            if not secrets.compare_digest(plain(code).encode(), plain(self.code).encode()):
                return None
            self.spent()
            self.holder = secrets.token_urlsafe(32)
            return self.holder

    @property
    def dead(self) -> bool:
        """Whether the code opens nothing any more."""
        return not self.code or self.holder is not None or self.tries >= MOST_TRIES

    def held_by(self, key: str) -> bool:
        """Return whether ``key`` is the holder's."""
        return self.holder is not None and secrets.compare_digest(key.encode(), self.holder.encode())

    def values(self, step: str) -> Mapping[str, str]:
        """Return what a step's form shows."""
        return {**FIRST_VALUES.get(step, {}), **self.typed.get(step, {})}

    def plan(self, locale: str) -> Plan:
        """Return what was typed as a plan."""
        house, fonds, people = (self.values(step) for step in ("house", "fonds", "people"))
        scheme = fonds["scheme"]
        return Plan(
            names=_names(house), zone=house["zone"], naming=self.values("levels")["naming"],
            fonds_code=fonds["code"], fonds_names=_names(fonds), scheme=shipped.scheme(scheme) if scheme else None,
            people=[
                Founder(people[f"{role}-login"], people[f"{role}-name"], role, self.hashes[role]) for role in FOUNDERS
            ],
            locale=locale,
        )  # fmt: skip


def plain(code: str) -> str:
    """Return a code without the marks and the case that a person may write it with."""
    return "".join(each for each in code.upper() if each.isalnum())


def create_setup(setup: Setup) -> Flask:
    """Make the application that sets a house up."""
    app = Flask("web")
    app.secret_key = secrets.token_bytes(32)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    security.init_app(app, https=False)
    i18n.init_app(app)
    filters.init_app(app)
    handbook_help.init_app(app)
    assets.init_app(app)
    i18n.speak_anew(app)
    CSRFProtect(app)
    passwords = Passwords()
    app.add_url_rule("/set-up", "code", lambda: _code(setup), methods=["GET", "POST"])
    app.add_url_rule(
        "/set-up/<any({}):step>".format(",".join(STEPS)),
        "step",
        lambda step: _step(setup, passwords, step),
        methods=["GET", "POST"],
    )
    app.add_url_rule("/healthz", "healthz", lambda: Response("ok\n", mimetype="text/plain"))
    app.register_error_handler(CSRFError, lambda _error: redirect(url_for("code"), 303))
    app.register_error_handler(HTTPException, _elsewhere)
    return app


def _elsewhere(error: HTTPException) -> BaseResponse:
    """Lead any other address to the one question there is."""
    if error.code in {404, 405} and request.method == "GET":
        return redirect(url_for("code"))
    return make_response(error.get_response())


def _code(setup: Setup) -> BaseResponse:
    """Ask for the code first; who has given it goes on."""
    if setup.held_by(session.get("holder", "")):
        return redirect(url_for("step", step=_furthest(setup)), 303)
    chosen = request.form.get("locale", "")
    if chosen in LOCALES:
        return _spoken(redirect(url_for("code"), 303), chosen)
    faults: dict[str, str] = {}
    if request.method == "POST":
        key = setup.open(request.form.get("code", "")[:100])
        if key is not None:
            session["holder"] = key
            return redirect(url_for("step", step="language"), 303)
        faults["code"] = _("This is not the code.")
    page = render_template("setup/code.html", faults=faults, values={}, lines=[], dead=setup.dead)
    return make_response(page, 403 if faults else 200)


def _furthest(setup: Setup) -> str:
    return next((step for step in STEPS if step not in setup.done), "ring")


def _step(setup: Setup, passwords: Passwords, step: str) -> BaseResponse:
    """Show a step, or take what was typed in it and go on or back."""
    if not setup.held_by(session.get("holder", "")):
        return redirect(url_for("code"), 303)
    steps = list(STEPS)
    if step != "language" and steps.index(step) > steps.index(_furthest(setup)):
        return redirect(url_for("step", step=_furthest(setup)), 303)
    if request.method == "GET":
        return _shown(setup, step)
    with setup.lock:
        return _taken(setup, passwords, step)


def _taken(setup: Setup, passwords: Passwords, step: str) -> BaseResponse:
    form, steps, before = request.form, list(STEPS), setup.values(step)
    kept = (name for name in form if name != "go" and not name.startswith(("csrf", "password", "again")))
    setup.typed[step] = {name: form[name].strip()[:1000] for name in kept}
    if step == "fonds":
        setup.typed[step]["code"] = unicodedata.normalize("NFKC", setup.typed[step].get("code", ""))
    if form.get("go") == "back":
        # what was typed stays, but nobody has checked it; a password does not stay, and is asked for again
        if setup.values(step) != before or any(form[name] for name in form if name.startswith(("password", "again"))):
            setup.done.discard(step)
        return redirect(url_for("step", step=steps[max(0, steps.index(step) - 1)]), 303)
    if step == "language" and form.get("locale") in LOCALES:
        setup.done.add(step)
        return _spoken(redirect(url_for("step", step="house"), 303), form["locale"])
    try:
        _check(setup, passwords, step)
    except ArchiveError as error:
        setup.done.discard(step)
        return _shown(setup, step, error)
    setup.done.add(step)
    if step != "ring":
        return redirect(url_for("step", step=steps[steps.index(step) + 1]), 303)
    return _finish(setup)


def _finish(setup: Setup) -> BaseResponse:
    """Make the house of all that was typed."""
    if missing := [each for each in STEPS if each not in setup.done]:
        return redirect(url_for("step", step=missing[0]), 303)
    try:
        setup.found(setup.plan(i18n.current_locale()))
    except ArchiveError as error:
        return _shown(setup, "ring", error)
    names = {role: setup.values("people")[f"{role}-login"] for role in FOUNDERS}
    return make_response(render_template("setup/done.html", founders=names))


def _check(setup: Setup, passwords: Passwords, step: str) -> None:
    values = setup.values(step)
    if step == "house":
        faults = list(check_names(_names(values), "names"))
        try:
            ZoneInfo(values.get("zone", ""))
        except (ValueError, OSError, LookupError):
            faults.append(Fault("zone", "no_such_zone" if values.get("zone") else "required"))
        if faults:
            raise InvalidInput(*faults)
    elif step == "levels" and values.get("naming") not in {each.code for each in namings()}:
        raise InvalidInput(Fault("naming", "required"))
    elif step == "fonds":
        check_fonds(values.get("code", ""), _names(values))
        if values.get("scheme", "") not in {"", *shipped.SCHEMES}:
            raise InvalidInput(Fault("scheme", "unknown"))
    elif step == "people":
        _check_people(setup, passwords, values)
    elif step == "ring" and not request.form.get("read"):
        raise InvalidInput(Fault("read", "required"))


def _check_people(setup: Setup, passwords: Passwords, values: Mapping[str, str]) -> None:
    faults: list[Fault] = []
    logins: set[str] = set()
    for role in FOUNDERS:
        login, name = values.get(f"{role}-login", "").casefold(), values.get(f"{role}-name", "")
        password = request.form.get(f"password-{role}", "")[:1000]
        try:
            check_account(login, name, None)
        except InvalidInput as error:
            faults += [Fault(f"{role}-{each.field}", each.code, each.facts) for each in error.faults]
        if login in logins:
            faults.append(Fault(f"{role}-login", "repeated"))
        logins.add(login)
        if not password and role in setup.hashes:
            continue
        try:
            check_password(password, login=login, name=name, field=f"password-{role}")
        except InvalidInput as error:
            faults += error.faults
            continue
        if password != request.form.get(f"again-{role}", "")[:1000]:
            faults.append(Fault(f"again-{role}", "differs"))
            continue
        setup.hashes[role] = passwords.hash(password)
    if faults:
        raise InvalidInput(*faults)


def _shown(setup: Setup, step: str, error: ArchiveError | None = None) -> BaseResponse:
    lines, faults = told(error, _asked()) if error is not None else ([], {})
    page = render_template(
        f"setup/{step}.html", values=setup.values(step), faults=faults, lines=lines, step=step,
        steps=[_(words) for words in STEPS.values()], at=list(STEPS).index(step) + 1, zones=ZONES,
        namings=[(each, [SimpleNamespace(**level) for level in reversed(each.levels)]) for each in namings()],
        founders=FOUNDERS, kept=setup.hashes, labels=_labels(), home=setup.home, keys=setup.keys, shortest=SHORTEST,
        schemes=[("property", _("Property management")), ("university", _("University")), ("", _("none yet"))],
    )  # fmt: skip
    return make_response(page, 422 if error is not None else 200)


def _labels() -> Mapping[str, str]:
    """Return what the summary calls fields whose names say too little."""
    own = {"login": _("Sign-in name"), "name": _("Full name")}
    secret = {"password": _("Password"), "again": _("Once more")}
    locale = i18n.current_locale()
    labels = {
        f"{role}-{key}": f"{role_word(role, locale)} · {words}" for role in FOUNDERS for key, words in own.items()
    }
    labels |= {
        f"{key}-{role}": f"{role_word(role, locale)} · {words}" for role in FOUNDERS for key, words in secret.items()
    }
    return labels | {
        "read": _("Key ring"),
        "zone": _("Time zone"),
        "naming": _("Levels"),
        "code": _("Code of the fonds"),
    }


def _asked() -> Sequence[str]:
    own = [f"{role}-{each}" for role in FOUNDERS for each in ("login", "name")]
    secret = [f"{each}-{role}" for role in FOUNDERS for each in ("password", "again")]
    return [*NAMES.values(), "zone", "naming", "code", "scheme", "read", *own, *secret]


def _names(values: Mapping[str, str]) -> dict[str, str]:
    return {language: values[name] for language, name in NAMES.items() if values.get(name)}


def _spoken(reply: BaseResponse, locale: str) -> BaseResponse:
    g.locale = locale
    reply.set_cookie(i18n.LANGUAGE_COOKIE, locale, max_age=YEAR, **security.cookie_flags(https=False))
    return reply
