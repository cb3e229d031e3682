"""The first hour of a house: from an empty folder and the code of the terminal to papers filed, labelled and found."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright")
import xlsxwriter
from playwright.sync_api import Browser, sync_playwright
from python_calamine import CalamineWorkbook

from tests.factories.codes import scanned
from tests.factories.fresh import Fresh, Someone, a_fresh_house

CHROMIUM = Path(os.environ.get("JUANKU_CHROMIUM", "/usr/bin/chromium"))
FLAGS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
LANGUAGES = {"zh-CN": "zh_CN", "zh-TW": "zh_TW", "en-GB": "en"}
PASSWORD = "梅花三弄-2026-{}-春"
ROLES = ("archivist", "security_admin", "audit_admin")
ROWS, SCANS, MOVED = 500, 12, 20
BAD = {100: ("日期", "2024-13-40"), 200: ("题名", ""), 300: ("页数", "十二")}
"""Rows of the spreadsheet (from 0) with a fault, and where it stands."""
COLLEAGUES = {"zhou": ("周明远", "staff"), "xu": ("徐若兰", "clerk"), "he": ("何思齐", "staff")}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}; set JUANKU_CHROMIUM to run this"),
]


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Fresh]:
    with a_fresh_house(tmp_path) as made:
        yield made


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


def _sets_up(someone: Someone, fresh: Fresh) -> None:
    page = someone.go("/")
    page.fill("#field-code", "AAAAA-AAAAA-AAAAA")
    page.click("main .primary")
    page.wait_for_selector("#fault-code")
    someone.picture("code")
    page.fill("#field-code", fresh.code.lower())
    page.click("main .primary")
    page.check(f"input[value={LANGUAGES[someone.locale]}]")
    someone.picture("language")
    page.click("main .primary")
    page.click("main .primary")
    page.wait_for_selector(".fault-summary")
    page.fill("#field-name", "和园物业档案室")
    someone.picture("house")
    page.click("main .primary")
    page.check("input[value=numbered]")
    someone.picture("levels")
    page.click("main .primary")
    page.fill("#field-code", "HY")
    page.click("button[value=back]")
    page.wait_for_selector("input[value=numbered]:checked")
    page.click("main .primary")
    assert page.input_value("#field-code") == "HY", "going back lost what was typed"
    page.fill("#field-name", "和园物业")
    someone.picture("fonds")
    page.click("main .primary")
    page.click("main .primary")
    page.wait_for_selector(".fault-summary")
    someone.picture("people-faults")
    for role in ROLES:
        page.fill(f"#field-{role}-name", {"archivist": "林静文", "security_admin": "郑白露"}.get(role, "冯立夏"))
        page.fill(f"#field-password-{role}", PASSWORD.format(role))
        page.fill(f"#field-again-{role}", PASSWORD.format(role))
    someone.picture("people")
    page.click("main .primary")
    page.check("#field-read")
    someone.picture("ring")
    assert not list(fresh.home.glob("*.db")), "something was made before the last step"
    page.click("main .primary")
    page.wait_for_selector("a[href='/sign-in']")
    someone.picture("done")


def _a_spreadsheet(folder: Path) -> tuple[Path, Path]:
    """Write the house's old list, three of its rows at fault, and the folder of scans that it names."""
    scans = folder / "scans"
    scans.mkdir()
    book = xlsxwriter.Workbook(folder / "旧目录.xlsx")
    sheet = book.add_worksheet("目录")
    headers = ["题名", "日期", "责任者", "页数", "文件名"]
    sheet.write_row(0, 0, headers)
    for row in range(ROWS):
        box, scan = f"盒{row % 2}", f"扫描{row // 2:03}.txt"  # each name is in both boxes
        name = f"{box}\\{scan}" if row < SCANS else ""
        date = f"2024-{row % 12 + 1:02}-05"
        cells = [f"锦绣花园第{row + 1}号整改通知", date, "和园物业工程部", str(row % 30 + 1), name]
        if row in BAD:
            cells[headers.index(BAD[row][0])] = BAD[row][1]
        for at, cell in enumerate(cells):
            sheet.write_string(row + 1, at, cell)
        if name:
            (scans / box).mkdir(exist_ok=True)
            (scans / box / scan).write_text(f"第{row + 1}号整改通知：限期整改消防通道堆物", "utf-8")
    book.close()
    return folder / "旧目录.xlsx", scans


def _brings_in_a_spreadsheet(someone: Someone, folder: Path) -> None:
    sheet, scans = _a_spreadsheet(folder)
    page = someone.go("/bring-in")
    page.select_option("#field-category", index=2)
    page.wait_for_load_state()  # what a file is chosen in must listen
    page.set_input_files("#field-file", sheet)
    someone.picture("bring-in")
    page.click("main form .primary")
    page.wait_for_selector(".mapping")
    someone.picture("bring-in-columns")
    page.click("main form .primary")
    page.wait_for_selector(".counts")
    someone.picture("bring-in-check")
    told = page.inner_text("main table")
    assert all(str(row + 2) in told for row in BAD), "a row with a fault is not told by its number"
    assert "2024-13-40" in told
    page.click("form[action$='/start'] .primary")
    page.wait_for_selector("a[href$='/faults.xlsx']")
    someone.picture("bring-in-done")
    back = someone.fetches(lambda: page.click("a[href$='/faults.xlsx']"), folder)
    rows = CalamineWorkbook.from_path(back).get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows[1:]] == ["锦绣花园第101号整改通知", "", "锦绣花园第301号整改通知"]
    assert all(row[-1] for row in rows[1:]), "a row came back without its fault"
    page.wait_for_load_state()  # what a file is chosen in must listen
    page.set_input_files("#sheet-files", scans)
    page.wait_for_selector(f".sheet-told progress[value='{SCANS}']")
    someone.picture("bring-in-scans")
    assert page.locator(".sheet-told .fault, .sheet-told li").count() == 0
    assert page.locator(".sheet-came").count() == 0, "the page still says how many were in before"


def _moves_what_lies_wrong(someone: Someone) -> None:
    page = someone.go("/")
    for box in page.locator("tbody input[type=checkbox]").all()[:MOVED]:
        box.check()
    someone.picture("ticked")
    page.click("button[formaction='/records/move']")
    page.select_option("#field-category", index=5)
    page.click("main form .primary")
    page.wait_for_selector("input[name=confirmed]", state="attached")
    someone.picture("move")
    page.click("main form .primary")
    page.wait_for_selector("p.note")
    assert str(MOVED) in page.inner_text("p.note")


def _adds_colleagues(officer: Someone, newcomer: Callable[[], Someone]) -> list[Someone]:
    page = officer.page
    officer.sign_in("security", PASSWORD.format("security_admin"))
    officer.picture("security-desk")
    came = []
    for login, (name, role) in COLLEAGUES.items():
        officer.go("/house/people")
        page.click(".page-head .primary")
        page.fill("#field-login", login)
        page.fill("#field-name", name)
        for tick in page.locator("input[name=roles]:checked").all():
            tick.uncheck()
        page.check(f"input[name=roles][value={role}]")
        page.select_option("#field-clearance", index=1)
        if login != "zhou":  # who is told below why they see nothing
            page.check("input[name=fonds]")
        officer.picture("invite")
        page.click("main form .primary")
        link = page.inner_text("#link")
        officer.picture("link")
        colleague = newcomer()
        colleague.page.goto(link)
        assert colleague.page.input_value("#field-login") == login
        colleague.page.fill("#field-password", PASSWORD.format(login))
        colleague.page.fill("#field-again", PASSWORD.format(login))
        colleague.picture("welcome")
        colleague.page.click("main .primary")
        colleague.page.wait_for_selector("p.note")
        colleague.sign_in(login, PASSWORD.format(login))
        came.append(colleague)
    return came


def _cannot_see_it_and_asks_why(colleague: Someone, officer: Someone, number: str) -> None:
    page = colleague.page
    colleague.picture("colleague-desk")
    colleague.go("/search?q=" + number)
    page.click("main a[href='/why']")
    page.fill("#field-number", number)
    page.click("main form .primary")
    page.wait_for_selector(".note.warn")
    colleague.picture("why-colleague")
    officer.go("/why")
    officer.page.fill("#field-number", number)
    officer.page.fill("#field-login", "zhou")
    officer.page.click("main form .primary")
    officer.page.wait_for_selector("main dl dt")
    over = (
        "d => d.querySelector('dt').getBoundingClientRect().bottom <= d.querySelector('dd').getBoundingClientRect().top"
    )
    assert officer.page.eval_on_selector("main dl", over), "a reason squeezes its remedy"
    officer.picture("why-officer")
    officer.page.click("main dl + p a")
    officer.page.select_option("#field-fonds", index=1)
    officer.picture("grant")
    officer.page.click("main form .primary")
    officer.page.wait_for_selector("p.note")
    page.fill("#field-number", number)
    page.click("main form:has(#field-number) .primary")
    page.wait_for_selector(".record-head")
    colleague.picture("colleague-record")


def _takes_the_grant_back(officer: Someone) -> None:
    page = officer.page
    page.click("form[action$='/revoke'] button")
    page.wait_for_selector("dialog[open] .danger")
    officer.picture("dialog")
    page.keyboard.press("Escape")
    assert page.locator("form[action$='/revoke']").count() == 1
    page.click("form[action$='/revoke'] button")
    page.click("dialog[open] .danger")
    page.wait_for_selector("p.note")
    assert page.locator("form[action$='/revoke']").count() == 0


def _finds_and_takes_the_list_home(someone: Someone, folder: Path) -> None:
    someone.until("/search?q=整改通知", ".hits li:nth-child(20)")
    someone.picture("found")
    page = someone.page
    sheet = someone.fetches(lambda: page.click("main a[href*='list.xlsx']"), folder)
    rows = CalamineWorkbook.from_path(sheet).get_sheet_by_index(0).to_python()
    assert len(rows) > ROWS - 10
    page.fill("#field-q", "堆物")
    page.click(".query .primary")
    page.wait_for_selector(".passage mark")
    someone.picture("found-inside")


def _files_the_right_paper(someone: Someone, folder: Path) -> None:
    wrong, right = folder / "错.txt", folder / "对.txt"
    wrong.write_text("放错的文件", "utf-8")
    right.write_text("电梯维护保养合同", "utf-8")
    page = someone.go("/records/new")
    page.click(".tree a")
    page.fill("#field-title", "电梯维护保养合同")
    page.fill("#field-drawn_up", "2024-03-05")
    page.click("main form .primary")
    page.wait_for_selector("form.upload")
    page.wait_for_load_state()  # what a file is chosen in must listen
    page.set_input_files("#files-input", [wrong])
    page.click("a.reload")
    page.click("form.replace >> xpath=../summary")
    page.wait_for_load_state()  # what a file is chosen in must listen
    page.set_input_files("form.replace input[type=file]", [right])
    page.fill("form.replace input[name=reason]", "放错了")
    someone.picture("replace")
    page.click("form.replace button")
    page.wait_for_selector(".files .file-name:text('错.txt')", state="hidden")  # before the page is loaded anew
    page.click("a.reload")
    page.wait_for_selector(".files .file-name:text('对.txt')")
    assert page.locator(".files .file-name").count() == 1


def _files_what_waits(someone: Someone) -> str:
    """File the first page of what waits, and return the number of one of them."""
    page = someone.go("/")
    page.check("thead [data-all]")
    page.click(".bulk .primary")
    page.wait_for_selector("main table a")
    someone.picture("filed")
    return page.inner_text("main tbody tr:first-child a")


def _prints_labels(someone: Someone) -> None:
    page = someone.page
    someone.until("/browse", "main .tree a")
    page.click("main .tree a >> nth=-1")
    page.wait_for_selector("input[name=record] >> nth=7")
    for box in page.locator("input[name=record]").all()[:8]:
        box.check()
    someone.picture("list")
    page.click(".bulk button[formaction='/labels/chosen']")
    page.wait_for_selector("#field-sheet")
    someone.picture("labels")
    chosen = [str(box.input_value()) for box in page.locator("main form input[name=record]").all()]
    assert len(chosen) == 8
    form = {"csrf_token": page.input_value("main form input[name=csrf_token]"), "sheet": "roll", "start": "1"}
    reply = page.request.post(f"{someone.address}/labels", form=form | {"record": chosen[0]})
    codes = dict(scanned(reply.body()))
    page.goto(codes["QRCode"])
    assert page.url == f"{someone.address}/records/{chosen[0]}"
    number = page.inner_text(".archive-number").replace("·", "-")
    assert ("Code128" in codes) == number.isascii(), f"{number}: {codes}"


def _chooses_columns(someone: Someone) -> None:
    page = someone.page
    someone.go("/browse")
    page.click("main .tree a >> nth=-1")
    page.click(".columns summary")
    page.check("input[name=column][value=responsible]")
    someone.picture("columns")
    page.click(".columns .primary")
    page.wait_for_selector("td[data-words]")
    someone.picture("columns-chosen")


def _loses_the_browser_while_typing(someone: Someone) -> None:
    page = someone.go("/records/new")
    page.click(".tree a")
    page.fill("#field-title", "消防演练方案")
    page.wait_for_selector(".draft-told:not(:empty)")
    page.goto("about:blank")
    someone.go("/")
    someone.picture("desk-unsent")
    page.click(".note.warn a")
    page.wait_for_selector("form.describing")
    someone.picture("draft")
    page.click(".note.warn .primary")
    assert page.input_value("#field-title") == "消防演练方案"


def _works_for_an_hour(someone: Someone, fresh: Fresh, browser: Browser, folder: Path) -> None:
    """Go from the empty desk to papers filed, labelled, found, and open to whom they should be."""

    def newcomer() -> Someone:
        return Someone(browser, fresh, someone.width, someone.locale)

    _files_the_right_paper(someone, folder)
    _brings_in_a_spreadsheet(someone, folder)
    _moves_what_lies_wrong(someone)
    number = _files_what_waits(someone)
    officer = newcomer()
    colleague, *_others, reader = _adds_colleagues(officer, newcomer)
    reader.until("/number?n=" + number, ".record-head")
    _cannot_see_it_and_asks_why(colleague, officer, number)
    _takes_the_grant_back(officer)
    _prints_labels(someone)
    _chooses_columns(someone)
    _finds_and_takes_the_list_home(someone, folder)
    _loses_the_browser_while_typing(someone)


@pytest.mark.timeout(1800)  # an hour's work takes a minute at rest, and several where the machine is shared
@pytest.mark.parametrize(("width", "locale"), [(1440, "zh-CN"), (390, "zh-TW"), (390, "en-GB")])
def test_the_first_hour_goes_from_an_empty_folder_to_papers_filed_labelled_and_found(
    fresh: Fresh, browser: Browser, tmp_path: Path, width: int, locale: str
) -> None:
    assert (fresh.home / "set-up-code").stat().st_mode & 0o077 == 0
    someone = Someone(browser, fresh, width, locale)
    _sets_up(someone, fresh)
    assert not (fresh.home / "set-up-code").exists()
    someone.page.click("a[href='/sign-in']")
    stranger = Someone(browser, fresh, width, locale)
    answers = [stranger.page.request.get(fresh.address + path).url for path in ("/set-up", "/set-up/people")]
    assert all("/sign-in" in url for url in answers), "the set-up answers after its end"
    someone.sign_in("archivist", PASSWORD.format("archivist"))
    someone.picture("desk")
    if width == 1440 or os.environ.get("JUANKU_SHOTS"):
        _works_for_an_hour(someone, fresh, browser, tmp_path)
    else:
        _files_the_right_paper(someone, tmp_path)
