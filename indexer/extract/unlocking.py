"""Opens a locked document with its password, in memory: what comes out is read like any other."""

import io
import mmap
import types
import zipfile
import zlib

import msoffcrypto
import msoffcrypto.format.doc97
import msoffcrypto.format.ooxml
import msoffcrypto.format.ppt97
import msoffcrypto.format.xls97
import pypdfium2
import pypdfium2.raw
import pyzipper
from cryptography.hazmat.backends import default_backend
from msoffcrypto import exceptions

from indexer import kinds
from indexer.extract import odf_lock, ole, zips
from indexer.extract.answer import Reason, Unreadable
from indexer.extract.archives import name_of
from indexer.extract.pdf import PASSWORD_ASKED, view
from indexer.extract.sevenzip import sevenzip_members

_AES = 99  # how members locked by AES say that they are packed


_IN_MEMORY = types.SimpleNamespace(TemporaryFile=io.BytesIO)
_OLD = (msoffcrypto.format.doc97, msoffcrypto.format.ppt97, msoffcrypto.format.xls97)


def prepare() -> None:
    """Load what is loaded only when needed, and keep old Office files, which go by temporary files, off the disk."""
    default_backend()
    warm = io.BytesIO()
    with pyzipper.AESZipFile(warm, "w", encryption=pyzipper.WZ_AES) as package:
        package.setpassword(b"warm")
        package.writestr("warm", b"up")
    _zip(warm.getvalue(), "warm")
    for module in _OLD:
        module.tempfile = _IN_MEMORY


def unlocked(media_type: str, data: mmap.mmap | bytes, password: str) -> bytes:
    """Return a document without its lock.

    Raises:
        Unreadable: ``encrypted`` (the password is not right), ``unsupported`` (this kind of lock is not opened here),
            or what is wrong with the file.
    """
    if media_type == kinds.PDF:
        return _pdf(data, password)
    if ole.is_ole(data):
        return _office(data, password)
    if media_type.startswith(kinds.OPENDOCUMENT):
        return _opendocument(data, password)
    if kinds.is_zip(media_type):
        return _zip(data, password)
    if media_type == kinds.SEVENZIP:
        return _sevenzip(data, password)
    raise Unreadable(Reason.UNSUPPORTED)


def _pdf(data: mmap.mmap | bytes, password: str) -> bytes:
    try:
        document = pypdfium2.PdfDocument(view(data), password=password)
    except pypdfium2.PdfiumError as error:
        asked = error.err_code == PASSWORD_ASKED
        raise Unreadable(Reason.ENCRYPTED if asked else Reason.BROKEN) from error
    out = io.BytesIO()
    document.save(out, flags=pypdfium2.raw.FPDF_REMOVE_SECURITY)
    return out.getvalue()


def _office(data: mmap.mmap | bytes, password: str) -> bytes:
    out = io.BytesIO()
    try:
        document = msoffcrypto.OfficeFile(io.BytesIO(data))
        if isinstance(document, msoffcrypto.format.ooxml.OOXMLFile):
            document.load_key(password=password, verify_password=True)
        else:
            document.load_key(password=password)
        document.decrypt(out)
    except exceptions.InvalidKeyError as error:
        raise Unreadable(Reason.ENCRYPTED) from error
    except (exceptions.DecryptionError, exceptions.FileFormatError, exceptions.ParseError) as error:
        raise Unreadable(Reason.UNSUPPORTED, type(error).__name__) from error
    return out.getvalue()


def _opendocument(data: mmap.mmap | bytes, password: str) -> bytes:
    odd = zips.inspect_zip(data)
    if odd is not None:
        raise Unreadable(odd.reason, odd.detail)
    return odf_lock.opened(data, password)


def _sevenzip(data: mmap.mmap | bytes, password: str) -> bytes:
    """Return a zip of what lies in a locked 7z."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as plain:
        for member in sevenzip_members(data, password):
            plain.writestr(member.path, b"".join(member.chunks()))
    return out.getvalue()


def _zip(data: mmap.mmap | bytes, password: str) -> bytes:
    odd = zips.inspect_zip(data)
    if odd is None:  # the lock is its program's own
        raise Unreadable(Reason.UNSUPPORTED)
    if odd.reason is not Reason.ENCRYPTED:
        raise Unreadable(odd.reason, odd.detail)
    out = io.BytesIO()
    with zips.open_zip(data) as package:
        by_aes = any(entry.compress_type == _AES for entry in package.infolist())
    opened = pyzipper.AESZipFile(zips.Readable(data)) if by_aes else zips.open_zip(data)
    with opened as package, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as plain:
        for entry in package.infolist():
            if entry.is_dir():
                continue
            try:
                plain.writestr(name_of(entry), package.read(entry, pwd=password.encode()))
            except (RuntimeError, pyzipper.BadZipFile, zlib.error) as error:  # one wrong password of 256 is seen late
                raise Unreadable(Reason.ENCRYPTED) from error
            except NotImplementedError as error:
                raise Unreadable(Reason.UNSUPPORTED) from error
    return out.getvalue()
