"""The parts of the system that the doctor looks at, in words."""

from collections.abc import Mapping

from web.words import mark

PARTS: Mapping[str, str] = {
    "python": mark("Python"),
    "home": mark("Data folder"),
    "disk": mark("Disks"),
    "ring": mark("Key ring"),
    "rights": mark("Rights on the key ring"),
    "database": mark("Database"),
    "clock": mark("Clock of the machine"),
    "store": mark("Store of files"),
    "broker": mark("Broker of jobs"),
    "search": mark("Search index"),
    "sandbox": mark("Reading files apart"),
    "ocr": mark("Reading scans (OCR)"),
    "viruses": mark("Scan for viruses"),
    "office": mark("Office documents as printed"),
    "log": mark("Log"),
    "jobs": mark("Jobs"),
    "messages": mark("Ways of telling"),
    "serve": mark("Pages and worker"),
    "backup": mark("Backups"),
    "fixity": mark("Stored files"),
    "secrecy": mark("What it is for"),
}
