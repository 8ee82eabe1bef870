"""读 PDF: in a process of its own, with bounded time and memory, since a PDF is a program for somebody else's parser."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from policies.characters import plain_characters
from policies.pdf_child import DAMAGED, MOST_PAGES, TOO_MANY

CHILD = Path(__file__).with_name("pdf_child.py")
SECONDS, MEMORY = 60, 2 << 30
WAIT = 5 * SECONDS  # of the clock on the wall, for a machine that has other work


class PdfTrouble(ValueError):
    """PDF 读不了: what is wrong and the cure, without the file's name."""


def pdf_pages(data: bytes) -> list[str]:
    """每页的文字 of a PDF. Raises PdfTrouble."""
    return [plain_characters(page) for page in _asked("pages", data)]


def pdf_tables(data: bytes) -> list[list[list[str]]]:
    """表格 of a PDF, each rows of cells. Raises PdfTrouble."""
    return [[[plain_characters(c) for c in row] for row in table] for table in _asked("tables", data)]


def _asked(what: str, data: bytes) -> Any:
    command = [sys.executable, "-I", str(CHILD), what, str(SECONDS), str(MEMORY)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=WAIT, check=False)
    except subprocess.TimeoutExpired:
        raise PdfTrouble(_endless()) from None
    return answered(done.returncode, done.stdout, done.stderr)


def answered(code: int, told: bytes, complaint: bytes) -> Any:
    """子进程的答复: what it told, by its exit code. Raises PdfTrouble."""
    if code == 0:
        return json.loads(told)
    if code == TOO_MANY:
        raise PdfTrouble(f"超过 {MOST_PAGES} 页：请一份政策一个文件")
    if code == DAMAGED:
        raise PdfTrouble("打不开：PDF 损坏或有密码；请另存一份无密码的 PDF")
    if code in (-9, -24, -25) or b"MemoryError" in complaint:  # SIGKILL, SIGXCPU, SIGXFSZ
        raise PdfTrouble(_endless())
    # Whatever else a foreign parser dies of, by a signal or an exception, is the file's fault.
    raise PdfTrouble("读到一半读不下去：PDF 的内容损坏；请用阅读器打开后重新“打印成 PDF”，或另存为 .docx")


def _endless() -> str:
    return f"读了 {SECONDS} 秒还没有读完，或要的内存太多，不像正常的文件；请重新“打印成 PDF”，或另存为 .docx"
