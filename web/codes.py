"""QR codes and Code 128, as SVG."""

import re
from io import BytesIO
from itertools import groupby

import segno
from barcode import Code128

_SEPARATOR = re.compile(r"[^\x21-\x7e]+")


def qr(text: str) -> str:
    """Return a QR code that a telephone reads from a label 15 mm wide.

    The mask is one and the same: every reader takes any, and weighing all eight is four fifths of the work.
    """
    out = BytesIO()
    segno.make_qr(text, error="m", mask=2).save(out, kind="svg", border=2, xmldecl=False, svgns=True)
    return out.getvalue().decode()


def bars(number: str) -> tuple[str, int]:
    """Return the Code 128 of a number and its width in modules; empty when it holds letters that the code has none for.

    Marks between its words become hyphens: a number is found however they are written.
    """
    text = _SEPARATOR.sub("-", number)
    if re.findall(r"\w", text) != re.findall(r"\w", number):
        return "", 0
    [modules] = Code128(text).build()
    path, at = [], 0
    for dark, run in groupby(modules):
        width = len(list(run))
        if dark == "1":
            path.append(f"M{at} 0h{width}v1h-{width}z")
        at += width
    quiet = 10
    width = at + 2 * quiet
    box = f'viewBox="{-quiet} 0 {width} 1" preserveAspectRatio="none"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}><path d="{"".join(path)}"/></svg>', width
