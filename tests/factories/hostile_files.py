"""Files that are meant to hurt: loops, bombs, locked and cut documents."""

import io
import zipfile
import zlib

from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

from runtime.demo.setting import pdf

_CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
_ONE_PAGE = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"


def pdf_of(*objects: bytes) -> bytes:
    """Put PDF objects into a file; the first is the catalog."""
    out = b"%PDF-1.4\n"
    places = []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    xref = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return out + xref + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))


def _stream(head: bytes, data: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (head, len(data), data)


def pages_in_a_circle() -> bytes:
    """A page tree that is its own child."""
    return pdf_of(_CATALOG, b"<</Type/Pages/Count 9/Kids[2 0 R]>>")


def a_form_that_draws_itself() -> bytes:
    """A page whose drawing draws itself."""
    uses = b"/Resources<</XObject<</A 5 0 R>>>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]%s/Contents 4 0 R>>" % uses
    form = _stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]" + uses, b"/A Do")
    return pdf_of(_CATALOG, _ONE_PAGE, page, _stream(b"", b"/A Do"), form)


def a_pdf_that_swells(megabytes: int = 200) -> bytes:
    """A page of drawing commands that unpacks to so many megabytes."""
    packed = zlib.compress(b"q Q " * (megabytes * 250_000), 6)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>"
    return pdf_of(_CATALOG, _ONE_PAGE, page, _stream(b"/Filter/FlateDecode", packed))


def a_zip_that_swells() -> bytes:
    """A zip of 0.4 MB that unpacks to 400 MB."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(4):
            packed.writestr(f"{number}.txt", b"\0" * 100_000_000)
    return target.getvalue()


def a_locked_pdf(word: str = "secret") -> bytes:
    """A PDF that only a password opens."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf("密"))))
    writer.encrypt(word)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def many_pages(count: int) -> bytes:
    """A PDF of so many pages; each bears a word of its own (``page_word``)."""
    target = io.BytesIO()
    canvas = Canvas(target, invariant=True)
    for number in range(1, count + 1):
        canvas.drawString(70, 770, f"Register of deliveries {page_word(number)}")
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def page_word(number: int) -> str:
    """Return the word that only this page of ``many_pages`` bears."""
    return f"zq{number * 7919 % 99991:05d}x"
