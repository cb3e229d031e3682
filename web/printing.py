"""Printed forms: a template of the folder ``web/forms`` and its data give a PDF/A that holds its typefaces."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import typst

FORMS = Path(__file__).parent / "forms"
FONTS = Path(__file__).parent.parent / "indexer" / "fonts"
STANDARD: Final = "a-2b"


def printed(form: str, data: Mapping[str, Any]) -> bytes:
    """Return the PDF of a form.

    Args:
        form: the template's name in ``web/forms``, without its ending.
        data: what the template reads as ``data``; the words of records come as text, and no word of theirs is markup.
    """
    made = typst.compile(
        str(FORMS / f"{form}.typ"), root=str(FORMS), font_paths=[str(FONTS)], ignore_system_fonts=True, format="pdf",
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)}, pdf_standards=STANDARD,
    )  # fmt: skip
    return bytes(made)
