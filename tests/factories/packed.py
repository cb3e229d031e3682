"""Files made to hold others: archives, mails and documents, sound and hostile."""

import io
import tarfile
import zipfile
from email.message import EmailMessage


def a_zip(*members: tuple[str, bytes]) -> bytes:
    """Return a zip of (path, bytes)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members:
            package.writestr(name, data)
    return out.getvalue()


def a_tar(*members: tuple[str, bytes], mode: str = "w", extra: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    """Return a tar of (path, bytes), packed as ``mode`` says (``w:gz`` …), with further entries without bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as package:  # type: ignore[call-overload]
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            package.addfile(entry, io.BytesIO(data))
        for entry in extra:
            package.addfile(entry)
    return out.getvalue()


def a_link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    """Return a tar's entry that is a link, or a device."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, to
    return entry


def a_letter(subject: str, words: str = "见附件。", *attached: tuple[str, bytes]) -> EmailMessage:
    """Return a mail with files attached."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "王芳 <wang@a.example>", "li@a.example", subject
    letter["Date"] = "Fri, 1 Mar 2024 09:30:00 +0800"
    letter.set_content(words)
    for name, data in attached:
        letter.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return letter
