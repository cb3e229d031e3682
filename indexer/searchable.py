"""Searchable PDF/A-2b: the pictures of scanned pages with their words laid over them, invisible.

Nothing of a stranger's file is parsed here: streams of pictures go in as they came out of the sandbox.
"""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from PIL import ImageCms
from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
    TextStringObject,
)

from indexer.layout import Layout, Run, width_of

_ASCENT, _DESCENT = 800, -200
_INVISIBLE = 3
_SMALL = 1.0  # points; of words whose place nobody knows
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>
<xmp:CreatorTool>Juanku</xmp:CreatorTool><xmp:CreateDate>{0}</xmp:CreateDate><xmp:ModifyDate>{0}</xmp:ModifyDate>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


@dataclass(frozen=True)
class Sheet:
    """The picture of a page.

    Attributes:
        page: width and height in points.
        matrix: puts the unit square where the picture lies.
        jpeg: whether ``stream`` is a JPEG; else it is packed by zlib.
        size: of the picture in pixels.
        colors: 1 (grey) or 3.
        bits: of a colour: 1 or 8.
        stream: the picture.
    """

    page: tuple[float, float]
    matrix: tuple[float, ...]
    jpeg: bool
    size: tuple[int, int]
    colors: int
    bits: int
    stream: bytes


class SearchablePdf:
    """Takes pages one after another, then gives the file."""

    def __init__(self) -> None:
        self._writer = PdfWriter()
        self._writer.pdf_header = "%PDF-1.7"
        self._codes: dict[str, int] = {}
        self._font = DictionaryObject()
        self._font_at = self._put(self._font)

    def add(self, sheet: Sheet, text: str, layout: Layout | None) -> None:
        """Add a page with its words; without a layout they stand at its head."""
        width, height = sheet.page
        page = self._writer.add_blank_page(width, height)
        picture = StreamObject()
        picture.update({
            NameObject("/Type"): NameObject("/XObject"), NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Width"): NumberObject(sheet.size[0]), NameObject("/Height"): NumberObject(sheet.size[1]),
            NameObject("/ColorSpace"): NameObject("/DeviceGray" if sheet.colors == 1 else "/DeviceRGB"),
            NameObject("/BitsPerComponent"): NumberObject(sheet.bits),
            NameObject("/Filter"): NameObject("/DCTDecode" if sheet.jpeg else "/FlateDecode"),
        })  # fmt: skip
        picture.set_data(sheet.stream)
        fonts = _dictionary(F=self._font_at)
        pictures = _dictionary(P=self._put(picture))
        page[NameObject("/Resources")] = _dictionary(Font=fonts, XObject=pictures)
        drawn = [f"q {_numbers(sheet.matrix)} cm /P Do Q", f"BT /F 1 Tf {_INVISIBLE} Tr"]
        drawn += [self._shown(words, matrix) for words, matrix in _placed(text, layout, sheet.page)]
        page[NameObject("/Contents")] = self._put(_stream("\n".join([*drawn, "ET"]).encode()))

    def bytes(self, now: datetime) -> bytes:
        """Return the file, made at ``now``."""
        self._font.update(self._made_font())
        profile = _stream(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
        profile[NameObject("/N")] = NumberObject(3)
        intent = _dictionary(
            Type=NameObject("/OutputIntent"), S=NameObject("/GTS_PDFA1"),
            OutputConditionIdentifier=TextStringObject("sRGB IEC61966-2.1"),
            Info=TextStringObject("sRGB IEC61966-2.1"), DestOutputProfile=self._put(profile),
        )  # fmt: skip
        self._writer.root_object[NameObject("/OutputIntents")] = ArrayObject([self._put(intent)])
        meta = StreamObject()  # not packed: who looks for the conformance reads it as it stands
        meta.update(_dictionary(Type=NameObject("/Metadata"), Subtype=NameObject("/XML")))
        meta.set_data(_XMP.format(now.strftime("%Y-%m-%dT%H:%M:%S+00:00")).encode())
        self._writer.root_object[NameObject("/Metadata")] = self._put(meta)
        self._writer.metadata = None
        self._writer.generate_file_identifiers()
        out = io.BytesIO()
        self._writer.write(out)
        return out.getvalue()

    def _put(self, made: PdfObject) -> PdfObject:
        return self._writer._add_object(made)  # noqa: SLF001  (pypdf has no other way to add an object)

    def _shown(self, words: str, matrix: Sequence[float]) -> str:
        codes = (self._codes.setdefault(sign, len(self._codes) + 1) for sign in words)
        return f"{_numbers(matrix)} Tm <{''.join(f'{code:04X}' for code in codes)}> Tj"

    def _made_font(self) -> DictionaryObject:
        """Return the font: no letter of it has a shape, all say what they mean."""
        file = _stream(_glyphless())
        file[NameObject("/Length1")] = NumberObject(len(_glyphless()))
        name = NameObject("/JNKUAA+Glyphless")
        descriptor = _dictionary(
            Type=NameObject("/FontDescriptor"), FontName=name, Flags=NumberObject(4), ItalicAngle=NumberObject(0),
            FontBBox=ArrayObject(map(NumberObject, (0, _DESCENT, 1000, _ASCENT))), Ascent=NumberObject(_ASCENT),
            Descent=NumberObject(_DESCENT), CapHeight=NumberObject(_ASCENT), StemV=NumberObject(80),
            FontFile2=self._put(file),
        )  # fmt: skip
        signs = list(self._codes)
        wide = [width_of(sign) == 2 for sign in signs]
        glyphs = struct.pack(f">{len(signs) + 1}H", 0, *(1 if each else 2 for each in wide))
        widths = ArrayObject(NumberObject(1000 if each else 500) for each in wide)
        below = _dictionary(
            Type=NameObject("/Font"), Subtype=NameObject("/CIDFontType2"), BaseFont=name,
            CIDSystemInfo=_dictionary(
                Registry=ByteStringObject(b"Adobe"), Ordering=ByteStringObject(b"Identity"), Supplement=NumberObject(0)
            ),
            FontDescriptor=self._put(descriptor), DW=NumberObject(1000), CIDToGIDMap=self._put(_stream(glyphs)),
            W=ArrayObject([NumberObject(1), widths]),
        )  # fmt: skip
        return _dictionary(
            Type=NameObject("/Font"), Subtype=NameObject("/Type0"), BaseFont=name,
            Encoding=NameObject("/Identity-H"), DescendantFonts=ArrayObject([self._put(below)]),
            ToUnicode=self._put(_stream(_meanings(signs))),
        )  # fmt: skip


def _placed(text: str, layout: Layout | None, size: tuple[float, float]) -> Iterator[tuple[str, Sequence[float]]]:
    """Yield the words of a page in their order, each with what puts them where they lie, in points."""
    at, lost = 0, 0
    for run in (*(layout.runs if layout else ()), Run(len(text), len(text), (0,) * 6)):
        for words in text[at : run.start].splitlines():
            if words.strip():
                lost += 1
                yield words.strip(), (_SMALL, 0, 0, _SMALL, _SMALL, size[1] - _SMALL * (lost + 1))
        start = max(run.start, at)
        if layout and (words := text[start : run.end].replace("\n", " ")).strip():
            yield words, _matrix(run, words, layout, size)
        at = max(at, run.end)


def _matrix(run: Run, words: str, layout: Layout, size: tuple[float, float]) -> Sequence[float]:
    x, y, across_x, across_y, down_x, down_y = run.box
    right, up = size[0] / layout.width, size[1] / layout.height
    ems = width_of(words) / 2
    along = (across_x - x) * right / ems, (y - across_y) * up / ems
    rise = (x - down_x) * right, (down_y - y) * up
    low = -_DESCENT / 1000
    return (*along, *rise, down_x * right + rise[0] * low, size[1] - down_y * up + rise[1] * low)


def _meanings(signs: Sequence[str]) -> bytes:
    """Return the table that says which sign each code is."""
    lines = [f"<{code:04X}> <{sign.encode('utf-16-be').hex().upper()}>" for code, sign in enumerate(signs, start=1)]
    blocks = [lines[at : at + 100] for at in range(0, len(lines), 100)]
    told = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n"
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <FFFF> endcodespacerange\n{told}\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode()


def _glyphless() -> bytes:
    """Return a TrueType font of three glyphs without outlines: none, a wide one and a narrow one."""
    tables = {
        b"glyf": b"\0\0\0\0",
        b"head": struct.pack(
            ">IIIIHHQQhhhhHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 3, 1000, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0
        ),
        b"hhea": struct.pack(">IhhhHhhhhhhhhhhhH", 0x10000, _ASCENT, _DESCENT, 0, 1000, *(0,) * 11, 3),
        b"hmtx": struct.pack(">HhHhHh", 1000, 0, 1000, 0, 500, 0),
        b"loca": bytes(8),
        b"maxp": struct.pack(">IH13H", 0x10000, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    at = 12 + 16 * len(tables)
    head, body = struct.pack(">IHHHH", 0x10000, len(tables), 64, 2, len(tables) * 16 - 64), b""
    for name, table in tables.items():
        padded = table + bytes(-len(table) % 4)
        total = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        head += name + struct.pack(">III", total, at + len(body), len(table))
        body += padded
    return head + body


def _stream(data: bytes) -> StreamObject:
    made = StreamObject()
    made[NameObject("/Filter")] = NameObject("/FlateDecode")
    made.set_data(zlib.compress(data, 9))
    return made


def _dictionary(**values: PdfObject) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{name}"): value for name, value in values.items()})


def _numbers(values: Sequence[float]) -> str:
    return " ".join(FloatObject(round(each, 4)).myrepr() for each in values)
