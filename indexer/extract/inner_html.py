"""Text of HTML that lies inside other formats: chapters of books, pieces of Word documents."""

import re

from lxml import etree

from indexer.extract.package import local
from indexer.extract.text import guess_encoding

_DECLARED = re.compile(rb"""(?:encoding|charset)\s*=\s*["']?\s*([A-Za-z0-9_.:\-]{2,40})""")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_SILENT = frozenset({"script", "style", "head", "template", "noscript", "rt", "rp"})
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "div", "dl", "dt", "figcaption"}
    | {"figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol"}
    | {"option", "p", "pre", "section", "table", "title", "tr", "ul"}
)


def markup_text(data: bytes) -> str:
    r"""Return the words of HTML or XHTML: blocks and rows on lines of their own, cells apart by ``\t``."""
    text = decode(data)
    if not text.strip():
        return ""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
    root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    return "" if root is None else _words(root)


def decode(data: bytes) -> str:
    """Decode markup by its mark, by what it declares, or by what its bytes look like."""
    declared = _DECLARED.search(data[:2_048])
    for encoding in (declared[1].decode("ascii") if declared else "", guess_encoding(data) or "", "utf-8"):
        try:
            return data.decode("gb18030" if encoding.lower() in {"gb2312", "gbk"} else encoding).lstrip("\ufeff")
        except (LookupError, UnicodeDecodeError):
            continue
    return data.decode("utf-8", "replace")


def _words(root: etree._Element) -> str:
    out: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, node in walk:
        name = local(node)
        if event == "start":
            if name in _SILENT:
                walk.skip_subtree()
                continue
            out.append("\n" if name in _BLOCKS else "")
            out.append(_SPACE.sub(" ", node.text or ""))
        else:
            out.append("\n" if name in _BLOCKS else "\t" if name in {"td", "th"} else "")
            out.append(_SPACE.sub(" ", node.tail or "") if node is not root else "")
    lines = (line.strip(" \t") for line in "".join(out).split("\n"))
    return "\n".join(line for line in lines if line)
