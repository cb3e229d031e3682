"""What a scanner reads off a printed sheet."""

from collections.abc import Iterator

import pypdfium2
import zxingcpp

DOTS_PER_INCH = 300


def scanned(pdf: bytes) -> Iterator[tuple[str, str]]:
    """Yield the kind (``QRCode``, ``Code128``) and the text of each code on a PDF's pages, as printed and scanned."""
    for page in pypdfium2.PdfDocument(pdf):
        for found in zxingcpp.read_barcodes(page.render(scale=DOTS_PER_INCH / 72).to_pil()):
            yield str(found.format).removeprefix("BarcodeFormat.").replace(" ", ""), found.text
