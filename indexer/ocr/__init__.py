"""OCR: reading the words of scans and photographs. The engine is an optional extra; the house works without."""
