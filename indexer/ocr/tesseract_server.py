"""The fork server of OCR with Tesseract as its engine, as ``indexer.ocr.server`` has RapidOCR."""

import sys

from indexer.ocr.server import serve
from indexer.ocr.tesseract import TesseractEngine

if __name__ == "__main__":
    serve(sys.argv[1:], TesseractEngine)
