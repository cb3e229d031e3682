"""Checks a package of destructions with nothing but Python's own library, and no access to the system.

    python check_package.py PACKAGE.zip [--key HEX]

``--key`` is the house's public key as you know it from elsewhere; without it the key in the package is believed, and
its fingerprint is shown to be compared. The end is 0 when everything is right, 1 when something is not, 2 when nothing
was checked.
"""

import base64
import hashlib
import io
import json
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

DAMAGE = (
    zipfile.BadZipFile, zlib.error, ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip
"""What Python says of a package that was changed: as a ZIP, as JSON, or in what stands there."""

Point = tuple[int, int, int, int]


def add(a: Point, b: Point) -> Point:
    """Add two points of the curve (RFC 8032, 5.1.4)."""
    one, two = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    three, four = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = two - one, four - three, four + three, two + one
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(point: Point, scalar: int) -> Point:
    """Multiply a point."""
    found: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            found = add(found, point)
        point, scalar = add(point, point), scalar >> 1
    return found


def same(a: Point, b: Point) -> bool:
    """Return whether two points are the same."""
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point_of(data: bytes) -> Point | None:
    """Read a point; None when the bytes are none."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(key: bytes, data: bytes, signature: bytes) -> bool:
    """Return whether a key signed data (Ed25519)."""
    if len(key) != 32 or len(signature) != 64:
        return False
    public, point = point_of(key), point_of(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if public is None or point is None or BASE is None or scalar >= ORDER:
        return False
    told = int.from_bytes(hashlib.sha512(signature[:32] + key + data).digest(), "little") % ORDER
    return same(times(BASE, scalar), add(point, times(public, told)))


def included(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """Return whether a path leads from a leaf to the root of a tree (RFC 6962)."""
    at, last, carried = index, size - 1, leaf
    if not 0 <= index < size:
        return False
    for step in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            carried = hashlib.sha256(b"\x01" + step + carried).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            carried = hashlib.sha256(b"\x01" + carried + step).digest()
        at, last = at >> 1, last >> 1
    return last == 0 and carried == root


def check(package: zipfile.ZipFile, key: str | None) -> tuple[list[str], list[str]]:
    """Return what is wrong with a package, and what is to be said of it besides."""
    bad, told = [], []
    every = package.namelist()
    names = set(every)
    if len(names) < len(every):  # one program would take out the first of two, another the last
        return ["the package holds a file twice"], []
    if not {"manifest.json", "manifest.sig", "log.json", "keys.json"} <= names:
        return ["the package is not whole"], []
    manifest = package.read("manifest.json")
    facts: dict[str, Any] = json.loads(manifest)
    keys: dict[str, str] = json.loads(package.read("keys.json"))
    public = bytes.fromhex(key or keys.get(facts["key_id"], ""))
    told.append(f"public key {public.hex()}, fingerprint {hashlib.sha256(public).hexdigest()[:16]}")
    if not signed(public, manifest, bytes.fromhex(package.read("manifest.sig").decode())):
        bad.append("manifest.json: the signature is not the house's")
    bad += [
        f"{name}: changed since it was exported" if name in names else f"{name}: missing"
        for name, digest in facts["files"].items()
        if name not in names or hashlib.sha256(package.read(name)).hexdigest() != digest
    ]
    bad += [f"{name}: not of this package" for name in names - set(facts["files"]) - {"manifest.json", "manifest.sig"}]
    log = json.loads(package.read("log.json"))
    return bad + check_log(log, keys, key, told), told


def check_log(log: dict[str, Any], keys: dict[str, str], key: str | None, told: list[str]) -> list[str]:
    """Return what is wrong with the extract of the log."""
    if log["checkpoint"] is None:
        told.append("no checkpoint yet: the log's entries are not proved")
        return []
    statement = log["checkpoint"]["statement"]
    facts = json.loads(statement)
    public = bytes.fromhex(keys.get(facts["key_id"], "") or key or "")
    bad = []
    if not signed(public, statement.encode(), bytes.fromhex(log["checkpoint"]["signature"])):
        bad.append("log.json: the checkpoint's signature is not the house's")
    root, size, waiting = bytes.fromhex(facts["root"]), facts["size"], 0
    for each in log["entries"]:
        if each["path"] is None:
            waiting += 1
            continue
        leaf = hashlib.sha256(b"\x00" + base64.b64decode(each["entry"])).digest()
        if not included(leaf, each["seq"] - 1, size, [bytes.fromhex(step) for step in each["path"]], root):
            bad.append(f"log.json: entry {each['seq']} is not the one that was sealed")
    told.append(f"{len(log['entries']) - waiting} entries proved by the checkpoint of {facts['time']}")
    if waiting:
        told.append(f"{waiting} entries are younger than that checkpoint: export again later to prove them")
    return bad


def main(words: list[str]) -> int:
    """Check the package that is named; say what was found."""
    key = words[words.index("--key") + 1].lower() if "--key" in words[:-1] else None
    if not words or words[0].startswith("--"):
        print(__doc__)  # noqa: T201
        return 2
    if key is not None and (len(key) != 64 or not set(key) <= set("0123456789abcdef")):
        print("--key: the public key is 64 hexadecimal digits")  # noqa: T201
        return 2
    try:
        data = Path(words[0]).read_bytes()
    except OSError as error:
        print(f"{words[0]}: cannot be read: {error.strerror}")  # noqa: T201
        return 2
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            bad, told = check(package, key)
    except DAMAGE:
        bad, told = ["the package is damaged, or no such package"], []
    for line in [*told, *(f"WRONG {each}" for each in bad), "wrong" if bad else "right"]:
        print(line)  # noqa: T201
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
