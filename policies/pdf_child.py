"""读 PDF 的子进程: a PDF on standard input, its texts or tables as JSON on standard output; run alone, within limits, by policies.pdf.

Imports nothing of the project: what a hostile PDF breaks is this process, and its start is short. Exit codes: 3 where the
file is damaged or locked, 4 where it has too many pages.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from io import BytesIO

DAMAGED, TOO_MANY = 3, 4
MOST_PAGES, MOST_LETTERS = 2000, 4_000_000


def limit(seconds: int, memory: int) -> None:
    """限制 this process: processor seconds, bytes of memory, no files, no core."""
    try:
        import resource
    except ImportError:  # Windows has none; the parent's clock still stands
        return
    for what, most in (("CPU", seconds), ("AS", memory), ("FSIZE", 0), ("CORE", 0)):
        with suppress(ValueError, OSError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{what}"), (most, most))


def pages(data: bytes) -> list[str]:
    """每页的文字."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
        if len(document) > MOST_PAGES:
            sys.exit(TOO_MANY)
        out: list[str] = []
        letters = 0
        for i in range(len(document)):
            out.append(document[i].get_textpage().get_text_bounded())
            letters += len(out[-1])
            if letters > MOST_LETTERS:  # the reader refuses such a text anyway
                break
        return out
    except pypdfium2.PdfiumError:
        sys.exit(DAMAGED)


def tables(data: bytes) -> list[list[list[str]]]:
    """表格; a page without ruled ones gives its lines, each cut at spaces."""
    import pdfplumber
    from pdfminer.pdfexceptions import PDFException
    from pdfplumber.utils.exceptions import PdfminerException

    out: list[list[list[str]]] = []
    try:
        with pdfplumber.open(BytesIO(data)) as document:
            if len(document.pages) > MOST_PAGES:
                sys.exit(TOO_MANY)
            for page in document.pages:
                ruled = [[[c or "" for c in row] for row in t] for t in page.extract_tables()]
                lines = [line.split() for line in (page.extract_text() or "").split("\n") if line.strip()]
                out += ruled or [lines]
    except (PDFException, PdfminerException):
        sys.exit(DAMAGED)
    return out


if __name__ == "__main__":
    limit(int(sys.argv[2]), int(sys.argv[3]))
    read = {"pages": pages, "tables": tables}[sys.argv[1]]
    json.dump(read(sys.stdin.buffer.read()), sys.stdout)
