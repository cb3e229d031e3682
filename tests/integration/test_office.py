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

import pypdfium2
import pytest

from indexer import kinds
from indexer.extract.answer import Failure, Reason
from indexer.sandbox.office import Office, OfficeLimits, found
from tests.factories.packages import a_docx, a_pptx, an_xlsx

MEMORY = Path("/dev/shm")  # noqa: S108
PROGRAM = found("")
needs_office = pytest.mark.skipif(PROGRAM is None, reason="LibreOffice is not installed")
needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the walls are Linux's")


@pytest.fixture
def office() -> Iterator[Office]:
    made = an_office()
    yield made
    made.close()


def an_office(**limits: float) -> Office:
    assert PROGRAM
    return Office(PROGRAM, OfficeLimits(**limits))  # type: ignore[arg-type]


def text_of(pdf: bytes | Failure) -> str:
    assert isinstance(pdf, bytes), pdf
    return "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))


def folders() -> set[Path]:
    """Return the folders of this process's conversions that are left."""
    return set(MEMORY.glob("juanku-office-*"))


@needs_office
def test_text_documents_sheets_and_slides_become_pdf_and_nothing_is_left(office: Office) -> None:
    before = folders()
    run = "<a:p><a:r><a:t>消防演练</a:t></a:r></a:p>"
    shape = f"<p:sp><p:nvSpPr/><p:spPr/><p:txBody><a:bodyPr/>{run}</p:txBody></p:sp>"
    made = {
        kinds.DOCX: a_docx("<w:p><w:r><w:t>电梯维保</w:t></w:r></w:p>"),
        kinds.XLSX: an_xlsx({"台账": '<row r="1"><c r="A1" t="inlineStr"><is><t>物业费</t></is></c></row>'}),
        kinds.PPTX: a_pptx([shape]),
        kinds.RTF: rb"{\rtf1\ansi Lift contract}",
    }
    words = {kinds.DOCX: "电梯维保", kinds.XLSX: "物业费", kinds.PPTX: "", kinds.RTF: "Lift contract"}
    for media_type, data in made.items():
        assert words[media_type] in text_of(office.pdf(media_type, [data]))
    assert folders() <= before


@needs_office
def test_no_link_of_a_document_is_followed(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0)
        address = f"http://127.0.0.1:{canary.getsockname()[1]}/canary"
        field = '<w:p><w:fldSimple w:instr="INCLUDETEXT &quot;{}&quot;"><w:r><w:t>-</w:t></w:r></w:fldSimple></w:p>'
        docx = a_docx(field.format("file:///etc/passwd") + field.format(address))
        links = "".join(
            f'<text:section text:name="s{n}"><text:section-source xlink:href="{where}"/><text:p>kept</text:p>'
            f'</text:section><text:p><draw:frame svg:width="5cm" svg:height="5cm"><draw:image xlink:href="{where}"/>'
            "</draw:frame></text:p>"
            for n, where in enumerate(("file:///etc/passwd", address))
        )
        odt = (
            '<?xml version="1.0" encoding="UTF-8"?><office:document office:version="1.2" '
            'office:mimetype="application/vnd.oasis.opendocument.text" '
            'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
            'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
            'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
            'xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" '
            'xmlns:xlink="http://www.w3.org/1999/xlink">'
            f"<office:body><office:text>{links}</office:text></office:body></office:document>"
        ).encode()
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
def test_what_takes_too_long_or_too_much_is_ended_and_leaves_nothing(limits: dict[str, float], reason: Reason) -> None:
    before = folders()
    data = b"{\\rtf1 " + b"word " * 60_000 + b"}"
    answer = an_office(**limits).pdf(kinds.RTF, [data])
    assert isinstance(answer, Failure)
    assert answer.reason == reason
    assert folders() <= before


@needs_office
def test_a_kill_in_the_middle_costs_that_conversion_only(office: Office) -> None:
    before = folders()
    answers: list[bytes | Failure] = []
    data = b"{\\rtf1 " + b"word " * 500_000 + b"}"
    thread = threading.Thread(target=lambda: answers.append(office.pdf(kinds.RTF, [data])))
    thread.start()
    while not (running := of_ours(folders() - before)):
        assert thread.is_alive()
    os.kill(running, signal.SIGKILL)
    thread.join(60)
    assert answers == [Failure(Reason.CRASHED, "ended with -9")]
    assert folders() <= before
    assert "next" in text_of(office.pdf(kinds.RTF, [rb"{\rtf1 next}"]))


def of_ours(mine: set[Path]) -> int:
    """Return the id of a process that works in one of the folders, 0 when there is none."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_text()
            except OSError:
                continue
            if any(str(folder) in command for folder in mine):
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


@needs_linux
def test_behind_the_walls_there_is_no_network_no_other_process_and_no_file_but_its_own(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    told = subprocess.run(
        [sys.executable, "-c", TRIES, str(own), str(tmp_path / "outside")],
        capture_output=True,
        check=True,
        timeout=60,
    )
    answers = json.loads(told.stdout)
    assert answers.pop("own") == "None"
    assert set(answers.values()) <= {"Operation not permitted", "Permission denied"}, answers
    assert not (tmp_path / "outside").exists()


def test_a_setting_of_off_or_of_what_is_not_there_uses_none() -> None:
    assert found("off") is None
    assert found("/nowhere/soffice") is None
