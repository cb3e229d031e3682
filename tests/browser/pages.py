"""Every page of the product, with an address that shows something, and who opens it; a person at a real browser."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.factories import patience
from tests.factories.furnished import password_of

CHROMIUM = Path(os.environ.get("JUANKU_CHROMIUM", "/usr/bin/chromium"))
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
AXE = Path(__file__).parent / "axe" / "axe-4.14.1.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LANGUAGES = {"zh_CN": "zh-CN", "zh_TW": "zh-TW", "en": "en-GB"}
WIDTHS = (1440, 768, 390)
SHADES = ("light", "dark")
STILL = 0.05
"""The most that a page may move while it comes, as Chromium reckons it (0.1 is what it calls good).

On a slow machine the columns of a long table still find their width while its rows arrive.
"""

LOOKS = 4

ROW_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CODE = re.compile(r"\b(?:None|True|False)\b")
"""What a program writes, and no page in Chinese says."""

PAGES: Mapping[str, tuple[str, str]] = {
    "signing.sign_in": ("", "/sign-in"),
    "links.show": ("", "/welcome/{welcome}"),
    "help.contents": ("staff", "/help"),
    "help.show": ("archivist", "/help/archivist"),
    "desk.desk": ("archivist", "/"),
    "desk.style": ("archivist", "/style"),
    "account.mine": ("archivist", "/account"),
    "records.new": ("archivist", "/records/new?category={category}"),
    "records.show": ("archivist", "/records/{filed}"),
    "records.edit": ("archivist", "/records/{letter}/edit"),
    "records.by_number": ("archivist", "/number?n={number}"),
    "history.record_history": ("archivist", "/records/{filed}/history"),
    "files.page": ("archivist", "/files/{content}/pages/1?q=电梯"),
    "files.find": ("archivist", "/files/{content}/pages/1/next?q=维护"),
    "finding.search": ("archivist", "/search?q=电梯"),
    "browsing.scheme": ("archivist", "/browse"),
    "browsing.category": ("archivist", "/browse/categories/{category}"),
    "browsing.projects": ("archivist", "/browse/places"),
    "browsing.place": ("archivist", "/browse/places/H001/A001"),
    "dossiers.contents": ("archivist", "/records/{dossier}/contents"),
    "labels.choose": ("archivist", "/labels?record={filed}"),
    "prints.choose": ("archivist", "/prints?record={filed}"),
    "form_templates.every": ("archivist", "/house/forms"),
    "form_templates.show": ("archivist", "/house/forms/filed_items"),
    "uploads.mine": ("archivist", "/uploads"),
    "put_aside.waiting": ("archivist", "/put-aside"),
    "scans.doubtful": ("archivist", "/scans/doubtful"),
    "proposals.waiting": ("archivist", "/proposals"),
    "vital.waiting": ("archivist", "/vital"),
    "deadlines.board": ("archivist", "/deadlines"),
    "messages.mine": ("archivist", "/messages"),
    "messages.ways": ("archivist", "/messages/ways"),
    "deliveries.every": ("system", "/system/deliveries"),
    "calendar.show": ("archivist", "/house/calendar"),
    "terms_due.board": ("archivist", "/retention/due?ahead=1"),
    "schedules.every": ("archivist", "/schedules"),
    "schedules.show": ("archivist", "/schedules/{schedule}"),
    "schedules.new": ("archivist", "/schedules/new"),
    "schedules.changing": ("archivist", "/schedules/{schedule}/change"),
    "schedules.draft": ("archivist", "/schedules/drafts/{draft}"),
    "schedules.choosing": ("archivist", "/records/{filed}/schedule"),
    "events.every": ("archivist", "/events"),
    "destructions.every": ("archivist", "/destructions"),
    "destructions.show": ("archivist", "/destructions/{destruction}"),
    "destructions.new": ("archivist", "/destructions/new"),
    "destroyed.every": ("archivist", "/destroyed"),
    "transfers.every": ("archivist", "/transfers"),
    "transfers.new": ("archivist", "/transfers/new"),
    "transfers.show": ("archivist", "/transfers/{transfer}"),
    "bags_in.every": ("archivist", "/transfers/in"),
    "bags_in.new": ("archivist", "/transfers/in/new"),
    "bags_in.show": ("archivist", "/transfers/in/{bag_in}"),
    "renewals.every": ("archivist", "/renewals"),
    "renewals.show": ("archivist", "/renewals/{renewal}"),
    "renewals.new": ("archivist", "/renewals/new"),
    "secrecy.board": ("secrecy", "/secrecy?which=runs"),
    "secrecy.reviews": ("secrecy", "/secrecy/reviews"),
    "secrecy.review": ("secrecy", "/secrecy/reviews/{secrecy_review}"),
    "secrecy.new": ("secrecy", "/secrecy/reviews/new"),
    "secrecy.period": ("secrecy", "/secrecy/records/{filed}"),
    "secrecy.periods": ("secrecy", "/secrecy/periods"),
    "holds.every": ("archivist", "/holds"),
    "holds.show": ("archivist", "/holds/{hold}"),
    "holds.new": ("archivist", "/holds/new"),
    "matters.every": ("archivist", "/matters"),
    "forecast.show": ("archivist", "/retention/forecast"),
    "appraisals.every": ("archivist", "/appraisals"),
    "consulting.mine": ("clerk", "/appraisals/questions"),
    "appraisals.new": ("archivist", "/appraisals/new"),
    "appraisals.show": ("archivist", "/appraisals/{appraisal}"),
    "audits.every": ("audit", "/audits"),
    "audits.new": ("audit", "/audits/new"),
    "audits.show": ("audit", "/audits/{audit}"),
    "audit_findings.every": ("archivist", "/audits/findings"),
    "audit_findings.show": ("archivist", "/audits/findings/{finding}"),
    "audit_checklists.every": ("audit", "/audits/checklists"),
    "audit_checklists.show": ("audit", "/audits/checklists/risk"),
    "doubles.waiting": ("archivist", "/doubles"),
    "loans.mine": ("staff", "/loans"),
    "loans.borrow": ("archivist", "/records/{filed}/borrow"),
    "loans.describing": ("staff", "/loans/describe"),
    "loan_requests.waiting": ("archivist", "/loans/requests"),
    "loan_requests.show": ("archivist", "/loans/requests/{request}"),
    "loan_requests.deputies": ("archivist", "/loans/deputies"),
    "counter.show": ("archivist", "/loans/counter?person=secrecy"),
    "counter.reports": ("archivist", "/loans/reports"),
    "loan_register.every": ("archivist", "/loans/register"),
    "basket.show": ("archivist", "/loans/basket"),
    "rounds.every": ("archivist", "/circulations"),
    "rounds.new": ("archivist", "/circulations/new"),
    "rounds.show": ("archivist", "/circulations/{slip}"),
    "paper_requests.every": ("archivist", "/paper-requests?own=1"),
    "paper_requests.show": ("archivist", "/paper-requests/{paper_request}"),
    "standing_custody.every": ("archivist", "/standing-custody"),
    "standing_custody.show": ("archivist", "/standing-custody/{custody}"),
    "outside_readers.every": ("archivist", "/loans/readers"),
    "outside_readers.show": ("archivist", "/loans/readers/{reader}"),
    "uses.every": ("archivist", "/loans/uses"),
    "uses.new": ("archivist", "/loans/uses/new"),
    "uses.find": ("archivist", "/loans/uses/find"),
    "uses.show": ("archivist", "/loans/uses/{visit}"),
    "excerpts.every": ("archivist", "/records/{excerpted}/excerpts"),
    "excerpts.choose": ("archivist", "/files/{excerpt_file}/excerpt?pages=1"),
    "loan_figures.show": ("archivist", "/loans/statistics"),
    "marked_copies.every": ("archivist", "/loans/copies"),
    "marked_copies.tracing": ("security", "/trace"),
    "rule_books.routes": ("secrecy", "/house/routes?number={number}&borrower=secrecy&form=out"),
    "rule_books.loans": ("archivist", "/house/loan-rules"),
    "corrections.new": ("archivist", "/records/{filed}/correct"),
    "corrections.every": ("archivist", "/corrections"),
    "corrections.show": ("archivist", "/corrections/{correction}"),
    "hand_ins.every": ("archivist", "/hand-ins"),
    "hand_ins.new": ("clerk", "/hand-ins/new"),
    "hand_ins.show": ("clerk", "/hand-ins/{batch_open}"),
    "hand_ins.drafts": ("clerk", "/hand-ins/{batch_open}/drafts"),
    "hand_in_check.show": ("archivist", "/hand-ins/{batch_handed}/check"),
    "hand_in_check.report": ("clerk", "/hand-ins/{batch_returned}/report"),
    "hand_in_sign.show": ("clerk", "/hand-ins/{batch_checked}/sign/handed"),
    "steps.board": ("archivist", "/steps"),
    "steps.run": ("archivist", "/steps/runs/{run}"),
    "steps.deadlines": ("archivist", "/steps/deadlines"),
    "sending_back.waiting": ("archivist", "/sent-back"),
    "bulk.every": ("archivist", "/bulk"),
    "bulk.show": ("archivist", "/bulk/{bulk}"),
    "bulk_moves.show": ("archivist", "/bulk/moves/{bulk_move}"),
    "papers.board": ("archivist", "/papers"),
    "papers.show": ("archivist", "/records/{dossier}/papers"),
    "templates.every": ("archivist", "/house/dossier-templates"),
    "templates.show": ("archivist", "/house/dossier-templates/contract_filing"),
    "bring_in.mine": ("archivist", "/bring-in"),
    "bring_in.columns": ("archivist", "/bring-in/{sheet_unsaid}/columns"),
    "bring_in.check": ("archivist", "/bring-in/{sheet}/check"),
    "bring_in.show": ("archivist", "/bring-in/{sheet}"),
    "why.ask": ("secrecy", "/why"),
    "history.log": ("audit", "/log"),
    "system.show": ("system", "/system"),
    "system.parts": ("system", "/system/parts"),
    "backups.show": ("system", "/system/backups"),
    "fixity.show": ("system", "/system/fixity"),
    "rereading.every": ("system", "/system/rereading?text=no_text"),
    "rereading.show": ("system", "/system/rereading/{reread}"),
    "subjects.every": ("archivist", "/house/subjects"),
    "subjects.show": ("archivist", "/house/subjects/{subject}"),
    "subjects.new": ("archivist", "/house/subjects/new?kind=owner"),
    "subjects.changing": ("archivist", "/house/subjects/{subject}/change"),
    "subjects.merging": ("archivist", "/house/subjects/{subject}/merge"),
    "subjects.splitting": ("archivist", "/house/subjects/{subject}/split"),
    "fonds.every": ("archivist", "/house/fonds"),
    "fonds.new": ("archivist", "/house/fonds/new"),
    "fonds.renaming": ("archivist", "/house/fonds/{fonds}/rename"),
    "fonds.closing": ("archivist", "/house/fonds/{fonds}/close"),
    "fonds.joining": ("archivist", "/house/fonds/{fonds}/join"),
    "schemes.show": ("archivist", "/house/fonds/{fonds}/scheme"),
    "schemes.category": ("archivist", "/house/fonds/{fonds}/scheme/{category}"),
    "schemes.new": ("archivist", "/house/fonds/{fonds}/scheme/new"),
    "category_moves.asking": ("archivist", "/house/fonds/{fonds}/scheme/{category}/move"),
    "schemes.changing": ("archivist", "/house/fonds/{fonds}/scheme/{category}/change"),
    "category_fields.new": ("archivist", "/house/fonds/{fonds}/scheme/{category}/fields/new"),
    "category_fields.rules": ("archivist", "/house/fonds/{fonds}/scheme/{category}/fields/maintenance_code"),
    "schemes.importing": ("archivist", "/house/fonds/{fonds}/scheme/import"),
    "places.every": ("archivist", "/house/places"),
    "places.show": ("archivist", "/house/places/{fonds}?at=A001"),
    "places.new": ("archivist", "/house/places/{fonds}/new?at=A001"),
    "places.changing": ("archivist", "/house/places/{fonds}/change?at=A001"),
    "shelves.rooms": ("archivist", "/shelves"),
    "shelves.at": ("archivist", "/shelves/at?p=Z9-01"),
    "shelves.show": ("archivist", "/shelves/{room}"),
    "shelves.new": ("archivist", "/shelves/new?in={shelf}"),
    "shelves.changing": ("archivist", "/shelves/{cabinet}/change"),
    "placing.show": ("archivist", "/shelves/placing?place={box}"),
    "placing.to_move": ("archivist", "/shelves/to-move"),
    "copies.new": ("archivist", "/records/{filed}/copies/new"),
    "blocks.new": ("archivist", "/records/{filed}/block"),
    "stocktaking.every": ("archivist", "/stocktakings"),
    "stocktaking.show": ("archivist", "/stocktakings/{stocktaking}"),
    "checks.due": ("archivist", "/checks"),
    "checks.checking": ("archivist", "/records/{filed}/check"),
    "checks.rules": ("archivist", "/checks/rules"),
    "checks.new_rule": ("archivist", "/checks/rules/new"),
    "copies.changing": ("archivist", "/copies/{copy}/change"),
    "copies.withdrawing": ("archivist", "/copies/{copy}/withdraw"),
    "copies.placing": ("archivist", "/copies/{copy}/place"),
    "copies.moves": ("archivist", "/copies/{copy}/moves"),
    "levels.shelving": ("secrecy", "/house/levels/shelving"),
    "rules.every": ("archivist", "/house/rules"),
    "rules.new": ("archivist", "/house/rules/new"),
    "levels.show": ("secrecy", "/house/levels"),
    "levels.new": ("secrecy", "/house/levels/distributions/new"),
    "levels.new_group": ("secrecy", "/house/levels/groups/new"),
    "organisation.show": ("security", "/house/organisation"),
    "organisation.new": ("security", "/house/organisation/departments/new"),
    "organisation.renaming": ("security", "/house/organisation/departments/{department}/rename"),
    "organisation.closing": ("security", "/house/organisation/departments/{department}/close"),
    "organisation.new_post": ("security", "/house/organisation/posts/new"),
    "people.every": ("security", "/house/people"),
    "people.show": ("security", "/house/people/{person}"),
    "person.new": ("security", "/house/people/invite"),
    "person.roles": ("security", "/house/people/{person}/roles"),
    "person.clearance": ("security", "/house/people/{person}/clearance"),
    "person.custody": ("security", "/house/people/{person}/custody"),
    "person.new_grant": ("security", "/house/people/{person}/grants/new"),
    "person.new_post": ("security", "/house/people/{person}/posts/new"),
    "person.ending_post": ("security", "/house/people/{person}/posts/{holding}/end"),
}
"""By endpoint: who opens it ("" for nobody signed in), and an address."""

STATES: Mapping[str, tuple[str, str]] = {
    "batch returned": ("clerk", "/hand-ins/{batch_returned}"),
    "batch signed": ("archivist", "/hand-ins/{batch_signed}"),
    "board late": ("archivist", "/steps?late=1"),
    "record sent back": ("archivist", "/records/{scanned}"),
    "stocktaking closed": ("archivist", "/stocktakings/{counted}"),
    "shelf box": ("archivist", "/shelves/{box}"),
    "shelf auditor": ("audit", "/shelves/{box}"),
    "custody copies": ("audit", "/records/{filed}"),
    "record long title": ("archivist", "/records/{long}"),
    "record locked file": ("archivist", "/records/{locked}"),
    "record dossier": ("archivist", "/records/{dossier}"),
    "record binned": ("archivist", "/records/{binned}"),
    "record scanned": ("archivist", "/records/{scanned}"),
    "search nothing": ("archivist", "/search?q=绝无此词"),
    "search help": ("staff", "/search"),
    "desk auditor": ("audit", "/"),
    "desk staff": ("staff", "/"),
    "why asked": ("staff", "/why"),
    "desk bin": ("archivist", "/?state=binned"),
    "proposals form": ("archivist", "/records/{long}/edit"),
    "help commands": ("system", "/help/commands"),
    "category tree": ("archivist", "/records/new"),
    "help administrator": ("system", "/help/administrator"),
}
"""Pages again in another state: nothing there, long titles, what is in the way."""


class Watched:
    """A person at a browser, whose every fault is kept: said on the console, not found, asked of others, moved."""

    def __init__(
        self, browser: Browser, url: str, *, width: int, locale: str, shade: str, cookies: Sequence[Any] = ()
    ) -> None:
        self.context = browser.new_context(locale=LANGUAGES[locale], reduced_motion="reduce", bypass_csp=False)
        self.context.add_cookies([{"name": "juanku_language", "value": locale, "url": url}, *cookies])
        self.context.add_init_script(
            "window.moved = [];"
            "new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) moved.push("
            "[e.value, e.sources.map((s) => s.node && (s.node.outerHTML || s.node.data).slice(0, 80))]); })"
            ".observe({type: 'layout-shift', buffered: true});"
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(patience.MILLISECONDS)
        self.url, self.locale = url, locale
        self.look(width=width, shade=shade)
        self.faults: list[str] = []
        self.page.on("console", lambda said: self._fault(f"console: {said.text}") if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self._fault(f"script: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on(
            "response", lambda reply: self._fault(f"{reply.status}: {reply.url}") if reply.status >= 400 else None
        )
        self.page.on(
            "request",
            lambda sent: None if sent.url.startswith((url, "data:")) else self._fault(f"another host: {sent.url}"),
        )

    def look(self, *, width: int, shade: str) -> None:
        """Have another window from now on."""
        self.page.set_viewport_size({"width": width, "height": 900 if width > 400 else 844})
        self.page.emulate_media(color_scheme="dark" if shade == "dark" else "light")

    def forget(self) -> None:
        """Have every page come as to someone who was never here: nothing of an earlier one lies ready."""
        session = self.context.new_cdp_session(self.page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a page that was left before its pictures were there
            self._fault(f"failed: {request.url} {request.failure}")

    def _fault(self, words: str) -> None:
        self.faults.append(words)

    def sign_in(self, login: str, password: str | None = None) -> None:
        """Sign in."""
        reply = self.page.goto(f"{self.url}/sign-in")
        assert reply is not None
        self.page.fill("#field-login", login)
        self.page.fill("#field-password", password or password_of(login))
        self.page.click("main .primary")
        self.page.wait_for_selector(".me")

    def go(self, path: str) -> None:
        """Open an address."""
        reply = self.page.goto(self.url + path)
        assert reply is not None
        self.page.wait_for_load_state("load")

    def proof(self, path: str) -> list[str]:
        """Open an address and return every fault of its page."""
        self.faults.clear()
        self.go(path)
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            self._fault(f"wider than the screen by {wide} px")
        for _ in range(LOOKS):  # a page that comes in slowly may be laid out in parts: what moves by itself always does
            shifts = self._moved()
            if not shifts:
                break
            self.go(path)
        else:
            self._fault(f"moved: {shifts}")
        told = self.page.inner_text("main")
        found = ROW_ID.findall(told) + ([] if self.locale == "en" else CODE.findall(told))
        for each in sorted(set(found)):
            self._fault(f"no word of a person's: {each}")
        if LANGUAGES[self.locale][:2] != (self.page.get_attribute("html", "lang") or "")[:2]:
            self._fault("in another language")
        return self.faults + self.axe()

    def _moved(self) -> list[Any]:
        """Return what moved since the page began to show, if it was much."""
        shifts: list[Any] = self.page.evaluate("window.moved")
        return shifts if sum(value for value, _ in shifts) > STILL else []

    def axe(self) -> list[str]:
        """Return what axe finds in the page as it stands."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text("utf-8"))
        found: list[dict[str, Any]] = self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})"
            ".then(found => found.violations)",
            TAGS,
        )
        return [
            f"axe {each['id']}: {node['html'][:160]} {' '.join(str(c['message']) for c in node['any'][:1])}"
            for each in found
            for node in each["nodes"][:4]
        ]


@contextmanager
def a_browser(*flags: str) -> Iterator[Browser]:
    """Start Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *flags])
        yield started
        started.close()
