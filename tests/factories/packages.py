"""Small office packages, books and OFD files, made part by part."""

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence

_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = f'xmlns:r="{OFFICE}"'
_A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
_P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_OPEN = "urn:oasis:names:tc:opendocument:xmlns:"
_ODF = " ".join(
    f'xmlns:{name}="{_OPEN}{name if name != "svg" else "svg-compatible"}:1.0"'
    for name in ("office", "text", "table", "presentation", "style", "manifest", "meta")
) + (
    f' xmlns:draw="{_OPEN}drawing:1.0" xmlns:fo="{_OPEN}xsl-fo-compatible:1.0"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'
)
_OFD = 'xmlns:ofd="http://www.ofdspec.org/2016"'
CORE = (
    '<cp:coreProperties xmlns:cp="c" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="t">'
    "<dc:title>移交清单</dc:title><dcterms:created>2024-03-01T08:00:00Z</dcterms:created></cp:coreProperties>"
)

Parts = Mapping[str, str | bytes]


def packed(parts: Parts) -> bytes:
    """Put parts into a zip, in their order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return out.getvalue()


def relations(*found: tuple[str, str, str]) -> str:
    """Write relations of (id, kind, target)."""
    inner = "".join(f'<Relationship Id="{i}" Type="{OFFICE}/{kind}" Target="{to}"/>' for i, kind, to in found)
    return f'<Relationships xmlns="{_PACKAGE}">{inner}</Relationships>'


def _office(main: str, parts: Parts, related: Sequence[tuple[str, str, str]]) -> bytes:
    folder, _, name = main.rpartition("/")
    return packed(
        {
            "[Content_Types].xml": f'<Types xmlns="{_TYPES}"><Default Extension="xml" ContentType="application/xml"/>'
            "</Types>",
            "_rels/.rels": relations(("m", "officeDocument", main), ("c", "core-properties", "docProps/core.xml")),
            "docProps/core.xml": CORE,
            f"{folder}/_rels/{name}.rels": relations(*related),
            **parts,
        }
    )


def word_part(root: str, inner: str) -> str:
    """Write a part of a Word document."""
    drawn = (
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml"'
    )
    return f"<w:{root} {_W} {_R} {_A} {drawn}>{inner}</w:{root}>"


def para(text: str, inside: str = "") -> str:
    """Write a paragraph of Word's, with more runs behind its text."""
    return f"<w:p><w:r><w:t>{text}</w:t></w:r>{inside}</w:p>"


def a_docx(body: str, parts: Parts | None = None, related: Sequence[tuple[str, str, str]] = ()) -> bytes:
    """A Word document of this body, with more parts and their relations."""
    main = word_part("document", f"<w:body>{body}</w:body>")
    return _office("word/document.xml", {"word/document.xml": main, **(parts or {})}, related)


def a_pptx(slides: Sequence[str], parts: Parts | None = None, order: Sequence[int] | None = None) -> bytes:
    """A presentation: the text of each slide, and the order in which the presentation shows them (0-based)."""
    shown = range(len(slides)) if order is None else order
    listed = "".join(f'<p:sldId id="{256 + number}" r:id="s{number}"/>' for number in shown)
    made = {
        f"ppt/slides/slide{number}.xml": slide_part(f"<p:sp><p:txBody>{lines(text)}</p:txBody></p:sp>")
        for number, text in enumerate(slides)
    }
    main = f"<p:presentation {_P} {_R}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>"
    related = [(f"s{number}", "slide", f"slides/slide{number}.xml") for number in range(len(slides))]
    return _office("ppt/presentation.xml", {"ppt/presentation.xml": main, **made, **(parts or {})}, related)


def slide_part(shapes: str, root: str = "sld") -> str:
    """Write a slide, its notes or a layout, of shapes."""
    return f"<p:{root} {_P} {_A} {_R}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:{root}>"


def lines(*texts: str) -> str:
    """Write paragraphs of a drawing."""
    return "".join(f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>" for text in texts)


def an_xlsx(sheets: Mapping[str, str], parts: Parts | None = None, *, hidden: str = "") -> bytes:
    """A workbook: the rows of each sheet as XML (``row``), by its name."""
    states = {hidden: "hidden"}
    listed = "".join(
        f'<sheet name="{name}" sheetId="{at}" state="{states.get(name, "visible")}" r:id="s{at}"/>'
        for at, name in enumerate(sheets, 1)
    )
    made: dict[str, str | bytes] = {
        f"xl/worksheets/sheet{at}.xml": f"<worksheet {_S}><sheetData>{rows}</sheetData>"
        f'<headerFooter><oddHeader>&amp;L&amp;"宋体"&amp;12页眉{at}&amp;P</oddHeader></headerFooter></worksheet>'
        for at, rows in enumerate(sheets.values(), 1)
    }
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    made["[Content_Types].xml"] = (
        f'<Types xmlns="{_TYPES}"><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/></Types>'
    )
    main = f"<workbook {_S} {_R}><sheets>{listed}</sheets></workbook>"
    related = [(f"s{at}", "worksheet", f"worksheets/sheet{at}.xml") for at in range(1, len(sheets) + 1)]
    return _office("xl/workbook.xml", {"xl/workbook.xml": main, **made, **(parts or {})}, related)


def row(number: int, *cells: tuple[str, str | float]) -> str:
    """Write a row of (column, value)."""
    return f'<row r="{number}">' + "".join(_cell(f"{column}{number}", value) for column, value in cells) + "</row>"


def _cell(place: str, value: str | float) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def an_opendocument(
    kind: str, body: str, *, styles: str = "", automatic: str = "", locked: bool = False, encoding: str = "utf-8"
) -> bytes:
    """An OpenDocument file of a kind: ``text``, ``spreadsheet``, ``presentation``; with master styles."""
    data = "<manifest:encryption-data/>" if locked else ""
    content = (
        f'<?xml version="1.0" encoding="{encoding}"?><office:document-content {_ODF}>'
        f"<office:automatic-styles>{automatic}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    return packed(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": content.encode(encoding),
            "styles.xml": f"<office:document-styles {_ODF}><office:master-styles>{styles}</office:master-styles>"
            "</office:document-styles>",
            "meta.xml": f"<office:document-meta {_ODF}><office:meta><dc:title>移交清单</dc:title>"
            "<meta:creation-date>2024-03-01T08:00:00</meta:creation-date></office:meta></office:document-meta>",
            "META-INF/manifest.xml": f"<manifest:manifest {_ODF}><manifest:file-entry>{data}</manifest:file-entry>"
            "</manifest:manifest>",
        }
    )


def an_epub(chapters: Mapping[str, bytes], spine: Sequence[str], parts: Parts | None = None) -> bytes:
    """A book: chapters by file name, and the order in which they are read."""
    items = "".join(f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in chapters)
    order = "".join(f'<itemref idref="{name}"/>' for name in spine)
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="c"><rootfiles><rootfile full-path="O/b.opf"/></rootfiles>'
            "</container>",
            "O/b.opf": '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            "<metadata><dc:title>移交清单</dc:title><dc:date>2024-03-01</dc:date></metadata>"
            f"<manifest>{items}</manifest><spine>{order}</spine></package>",
            **{f"O/{name}": text for name, text in chapters.items()},
            **(parts or {}),
        }
    )


def an_ofd(pages: Mapping[str, str], parts: Parts | None = None, more: str = "") -> bytes:
    """An OFD file: the content of each page by its place in the package, in the order of its document.

    ``more`` goes into the document's common data (templates) and behind its pages (annotations), see the tests.
    """
    listed = "".join(f'<ofd:Page ID="{at}" BaseLoc="{place}"/>' for at, place in enumerate(pages, 1))
    return packed(
        {
            "OFD.xml": f"<ofd:OFD {_OFD}><ofd:DocBody><ofd:DocInfo><ofd:Title>移交清单</ofd:Title>"
            "<ofd:CreationDate>2024-03-01</ofd:CreationDate></ofd:DocInfo>"
            "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
            "Doc_0/Document.xml": f"<ofd:Document {_OFD}>{more}<ofd:Pages>{listed}</ofd:Pages></ofd:Document>",
            **{f"Doc_0/{place}": ofd_page(content) for place, content in pages.items()},
            **(parts or {}),
        }
    )


def ofd_page(content: str, root: str = "Page") -> str:
    """Write a page, a template or an annotation, of OFD."""
    return f"<ofd:{root} {_OFD}>{content}</ofd:{root}>"


def ofd_text(text: str, left: float, top: float, steps: str = "") -> str:
    """Write a text at a place in millimetres, 4 mm high."""
    return (
        f'<ofd:TextObject Boundary="{left} {top} 100 5" Size="4"><ofd:TextCode X="0" Y="4" DeltaX="{steps}">{text}'
        "</ofd:TextCode></ofd:TextObject>"
    )


def a_container(streams: Mapping[str, bytes]) -> bytes:
    """A compound file, as Office wrote before 2007 and still does around what a password locks."""
    free, end, none = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF
    table, body = [0xFFFFFFFD, end], b""
    entries = [_entry("Root Entry", 5, none, 1 if streams else none, end, 0)]
    for at, (name, data) in enumerate(streams.items(), 1):
        whole = data.ljust(max(4_096, -(-len(data) // 512) * 512), b"\0")
        first, count = len(table), len(whole) // 512
        table += [*range(first + 1, first + count), end]
        body += whole
        entries.append(_entry(name, 2, at + 1 if at < len(streams) else none, none, first, len(whole)))
    directory = b"".join(entries).ljust(512, b"\0")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4_096, end, 0, end, 0) + struct.pack("<109I", 0, *[free] * 108)
    return header + struct.pack("<128I", *table, *[free] * (128 - len(table))) + directory + body


def _entry(name: str, kind: int, right: int, child: int, first: int, size: int) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    head = text.ljust(64, b"\0") + struct.pack("<HBB3I", len(text), kind, 1, 0xFFFFFFFF, right, child)
    return head + bytes(36) + struct.pack("<IQ", first, size)
