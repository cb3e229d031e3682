"""LibreOffice behind its walls: what it makes, and what a hostile document, a limit or a kill does not do."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pypdfium2
import pytest

from indexer import kinds
from indexer.extract.answer import Failure, Reason
from indexer.sandbox.office import Office, OfficeLimits, found
from tests.factories.packages import a_docx, an_xlsx, packed

PROGRAM = found("")
needs_office = pytest.mark.skipif(PROGRAM is None, reason="LibreOffice is not installed")
needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the walls are Linux's")


@pytest.fixture
def memory() -> Iterator[Path]:
    """Yield a folder in memory in which nothing may be left."""
    with TemporaryDirectory(prefix="jt-", dir="/dev/shm") as folder:  # short: the path of a socket
        yield Path(folder)
        assert list(Path(folder).iterdir()) == []


@pytest.fixture
def office(memory: Path) -> Iterator[Office]:
    made = an_office(memory)
    yield made
    made.close()


def an_office(memory: Path, **limits: float) -> Office:
    assert PROGRAM
    return Office(PROGRAM, OfficeLimits(**limits), memory)  # type: ignore[arg-type]


def a_word_file(body: str) -> bytes:
    """A Word document that says of its main part what it is, which LibreOffice asks for."""
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{kinds.DOCX}.main+xml"/></Types>'
    )
    return a_docx(body, {"[Content_Types].xml": types})


def an_open_document(kind: str, inner: str) -> bytes:
    """An OpenDocument file of a kind (``text``, ``presentation``) with this body."""
    names = "urn:oasis:names:tc:opendocument:xmlns:"
    content = (
        f'<office:document-content office:version="1.2" xmlns:office="{names}office:1.0" xmlns:text="{names}text:1.0" '
        f'xmlns:draw="{names}drawing:1.0" xmlns:svg="{names}svg-compatible:1.0" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
        f"<office:body><office:{kind}>{inner}</office:{kind}></office:body></office:document-content>"
    )
    manifest = (
        f'<manifest:manifest xmlns:manifest="{names}manifest:1.0" manifest:version="1.2">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kinds.OPENDOCUMENT}{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    return packed({"mimetype": kinds.OPENDOCUMENT + kind, "META-INF/manifest.xml": manifest, "content.xml": content})


def text_of(pdf: bytes | Failure) -> str:
    assert isinstance(pdf, bytes), pdf
    return "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))


@needs_office
def test_text_documents_sheets_and_slides_become_pdf_and_nothing_is_left(office: Office) -> None:
    slide = (
        '<draw:page draw:name="p"><draw:frame svg:width="9cm" svg:height="3cm"><draw:text-box><text:p>消防演练</text:p>'
        "</draw:text-box></draw:frame></draw:page>"
    )
    row = '<row r="1"><c r="A1" t="inlineStr"><is><t>物业费</t></is></c></row>'
    words = {
        "电梯维保": (kinds.DOCX, a_word_file("<w:p><w:r><w:t>电梯维保</w:t></w:r></w:p>")),
        "物业费": (kinds.XLSX, an_xlsx({"台账": row})),
        "消防演练": (kinds.OPENDOCUMENT + "presentation", an_open_document("presentation", slide)),
        "Lift contract": (kinds.RTF, rb"{\rtf1\ansi Lift contract}"),
    }
    for word, (media_type, data) in words.items():
        assert word in text_of(office.pdf(media_type, [data]))


@needs_office
def test_no_link_of_a_document_is_followed(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0)
        address = f"http://127.0.0.1:{canary.getsockname()[1]}/canary"
        field = '<w:p><w:fldSimple w:instr="INCLUDETEXT &quot;{}&quot;"><w:r><w:t>-</w:t></w:r></w:fldSimple></w:p>'
        docx = a_word_file(field.format("file:///etc/passwd") + field.format(address))
        links = "".join(
            f'<text:section text:name="s{n}"><text:section-source xlink:href="{where}"/><text:p>kept</text:p>'
            f'</text:section><text:p><draw:frame svg:width="5cm" svg:height="5cm"><draw:image xlink:href="{where}"/>'
            "</draw:frame></text:p>"
            for n, where in enumerate(("file:///etc/passwd", address))
        )
        odt = an_open_document("text", links)
        rtf = rb'{\rtf1 kept {\field{\*\fldinst INCLUDEPICTURE "%s" \\d}{\fldrslt -}}' % address.encode()
        rtf += rb'{\field{\*\fldinst INCLUDETEXT "file:///etc/passwd"}{\fldrslt -}}}'
        for media_type, data in (
            (kinds.DOCX, docx),
            (kinds.OPENDOCUMENT + "text", odt),
            (kinds.RTF, rtf),
        ):
            assert "root:" not in text_of(office.pdf(media_type, [data]))
        with pytest.raises(BlockingIOError):
            canary.accept()


@needs_office
@pytest.mark.parametrize(("limits", "reason"), [({"wall": 0.3}, Reason.TIME), ({"folder": 150_000}, Reason.TOO_LARGE)])
def test_what_takes_too_long_or_too_much_is_ended_and_leaves_nothing(
    memory: Path, limits: dict[str, float], reason: Reason
) -> None:
    data = b"{\\rtf1 " + b"word " * 60_000 + b"}"
    answer = an_office(memory, **limits).pdf(kinds.RTF, [data])
    assert isinstance(answer, Failure)
    assert answer.reason == reason


@needs_office
def test_a_kill_in_the_middle_costs_that_conversion_only(office: Office, memory: Path) -> None:
    answers: list[bytes | Failure] = []
    data = b"{\\rtf1 " + b"word " * 500_000 + b"}"
    thread = threading.Thread(target=lambda: answers.append(office.pdf(kinds.RTF, [data])))
    thread.start()
    while not (running := working_in(memory)):
        assert thread.is_alive()
    os.kill(running, signal.SIGKILL)
    thread.join(60)
    assert answers == [Failure(Reason.CRASHED, "ended with -9")]
    assert "next" in text_of(office.pdf(kinds.RTF, [rb"{\rtf1 next}"]))


def working_in(folder: Path) -> int:
    """Return the id of a process that works in a folder, 0 when there is none."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_text()
            except OSError:
                continue
            if str(folder) in command:
                return int(entry.name)
    return 0


TRIES = """
import ctypes, json, os, socket, sys
from indexer.sandbox import office_run
def tried(act):
    try:
        return str(act())
    except OSError as error:
        return error.strerror
def probe(command, arguments):
    print(json.dumps({
        "internet": tried(lambda: socket.socket(socket.AF_INET)),
        "connect": tried(lambda: socket.socket(socket.AF_UNIX).connect("/run/docker.sock")),
        "fork": tried(os.fork),
        "session": tried(os.setsid),
        "signal": tried(lambda: os.kill(os.getppid(), 0)),
        "secret": tried(lambda: os.open("/etc/passwd", os.O_RDONLY)),
        "others": tried(lambda: os.open(f"/proc/{os.getppid()}/environ", os.O_RDONLY)),
        "outside": tried(lambda: os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)),
        "own": tried(lambda: os.close(os.open(sys.argv[1] + "/own", os.O_WRONLY | os.O_CREAT))),
    }))
    sys.stdout.flush()
    os._exit(0)
os.execv = probe
limits = {"memory": 4 * 1024**3, "cpu": 20, "folder": 10**6}
office_run.main([sys.argv[1], json.dumps(limits), "/usr/bin/true"])
"""


@needs_office
def test_what_a_killed_process_left_in_memory_is_taken_away_by_the_next(office: Office, memory: Path) -> None:
    left = memory / "juanku-office-left"
    left.mkdir()
    (left / "in.rtf").write_text("plain")
    os.utime(left, (0, 0))
    assert "next" in text_of(office.pdf(kinds.RTF, [rb"{\rtf1 next}"]))
    assert not left.exists()


@needs_linux
def test_behind_the_walls_there_is_no_network_no_other_process_and_no_file_but_its_own(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    told = subprocess.run(
        [sys.executable, "-c", TRIES, str(own), str(tmp_path / "outside")],
        capture_output=True,
        check=True,
        timeout=240,
    )
    answers = json.loads(told.stdout)
    assert answers.pop("own") == "None"
    assert set(answers.values()) <= {"Operation not permitted", "Permission denied"}, answers
    assert not (tmp_path / "outside").exists()


def test_a_setting_of_off_or_of_what_is_not_there_uses_none() -> None:
    assert found("off") is None
    assert found("/nowhere/soffice") is None


@needs_office
@pytest.mark.samples
def test_a_real_file_that_our_own_parser_does_not_read_gives_its_words(office: Office) -> None:
    sample = Path(__file__).parents[3] / "shared/samples/office/testEXCEL_4.xls"
    if not sample.exists():
        pytest.skip("no samples beside the checkout")
    assert "Examination Coverage" in text_of(office.pdf(kinds.XLS, [sample.read_bytes()]))
