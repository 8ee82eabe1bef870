"""Broken PDFs for scripts/fuzz_parsers.py, read by the child's own code in a fork that lives until one kills it: a start of Python each would be all the time."""

from __future__ import annotations

import io
import json
import os
import random
import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from policies import pdf, pdf_child

SECONDS, MEMORY = 10, 1 << 30  # of a fork, beyond what this process has already
NASTY = (
    "0 0 R", "1 0 R", "99999 0 R", "-1", "2147483648", "9" * 40, "1e999", "null", "true", "<<", ">>", "[", "]", "(", ")", "<", ">", "/", "%",
    "endobj", "endstream", "stream\n", "xref", "trailer", "startxref", "/Length 999999999", "/Length -1", "/Kids[3 0 R]", "/Parent 3 0 R",
    "/Count 99999999", "/Filter/FlateDecode", "/Filter[/ASCIIHexDecode/FlateDecode]", "/DecodeParms<</Predictor 15/Columns 99999999>>",
    "/Filter/LZWDecode", "/Filter/JBIG2Decode", "/Filter/CCITTFaxDecode", "/Encrypt 1 0 R", "/Type/ObjStm/N 999/First 1", "/Subtype/Type3",
    "/MediaBox[0 0 1e30 -1e30]", "/Rotate 7", "/UserUnit 1e9", "BT", "ET", "q " * 300, "Q", "Do", "1e30 0 0 1e30 0 0 cm", "0 0 0 0 0 0 Tm",
    "999999 Tf", "/F Do", "BI /W 99999 /H 99999 ID x EI", "<FEFFD800>", "<D83D>", "\\377\\376", "<</JS(app.alert(1))/S/JavaScript>>", "/AA",
    "beginbfchar", "beginbfrange <00> <FFFFFFFF> <0000> endbfrange", "/Prev 0", "/Root 99 0 R", "/Size 99999999", "\x00", "\xff\xfe",
)  # fmt: skip
WORDS = "第一条给予最高十万元奖励企业研发"


def of_objects(*objects: str) -> bytes:
    """A PDF of the given objects, numbered from 1; the first is the catalogue."""
    out, at = b"%PDF-1.7\n", []
    for number, text in enumerate(objects, 1):
        at.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n".encode("latin1")
    table = "".join(f"{n:010d} 00000 n \n" for n in at)
    tail = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\n"
    return out + f"{tail}startxref\n{len(out)}\n%%EOF\n".encode("latin1")


def _stream(text: str) -> str:
    return f"<</Length {len(text)}>>\nstream\n{text}\nendstream"


@cache
def seeds() -> tuple[bytes, ...]:
    """种子: Chinese by a map of codes, a ruled table, and one as a library compresses it."""
    lines = "\n".join(f"<{n:02X}> <{ord(c):04X}>" for n, c in enumerate(WORDS, 1))
    codes = f"1 begincodespacerange <00> <FF> endcodespacerange\n{len(WORDS)} beginbfchar\n{lines}\nendbfchar"
    said = "".join(f"{n:02X}" for n in range(1, len(WORDS) + 1))
    grid = "".join(
        f"{x} 600 m {x} 700 l S {100} {y} m 400 {y} l S "
        for x, y in zip((100, 200, 300, 400), (600, 633, 666, 700), strict=True)
    )
    page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</A 5 0 R/B 7 0 R>>>>>>"
    body = f"BT /A 12 Tf 72 750 Td <{said}> Tj ET {grid} BT /B 9 Tf 110 640 Td (10) Tj 100 0 Td (20) Tj ET"
    hand = of_objects(
        "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", page, _stream(body),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>", _stream(codes),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )  # fmt: skip
    return hand, _drawn()


def _drawn() -> bytes:
    from datetime import datetime

    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.figure import Figure

    figure, kept = Figure((3, 2)), io.BytesIO()
    FigureCanvasPdf(figure)
    figure.text(0.1, 0.8, "grant 10 wan")
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.5))
    axes.axis("off")
    axes.table([["a", "10%"], ["b", "2 000"]])
    figure.savefig(kept, format="pdf", metadata={"CreationDate": datetime(2026, 1, 1)})
    return kept.getvalue()


def broken(draw: random.Random) -> bytes:
    """弄坏一份 PDF: its tokens, numbers and references, its bytes, or parts of another."""
    from scripts.fuzz_parsers import broken_bytes

    data = draw.choice(seeds())
    if draw.random() < 0.25:
        return broken_bytes(data, draw)
    text = data.decode("latin1")
    for _ in range(draw.choice((1, 1, 2, 4, 9))):
        kind, at = draw.randrange(5), draw.randint(0, len(text))
        if kind == 0:
            text = text[:at] + draw.choice(NASTY) + text[at:]
        elif kind == 1:
            spans = [m.span() for m in re.finditer(r"-?\d+(?:\.\d+)?", text[:40_000])]
            begin, end = draw.choice(spans or [(at, at)])
            text = (
                text[:begin] + draw.choice(("0", "-1", "1", "7", "99999999999", "1e9", "0.0001")) + text[end:]
            )
        elif kind == 2:
            spans = [m.span() for m in re.finditer(r"/[A-Za-z]+|\d+ 0 R", text[:40_000])]
            (a, b), (c, d) = draw.choice(spans or [(at, at)]), draw.choice(spans or [(at, at)])
            text = text[:a] + text[c:d] + text[b:]
        elif kind == 3:
            text = text[:at] + text[at + draw.choice((1, 9, 90, 2000)) :]
        else:
            text = text[:at] + text[at : at + 60] * draw.choice((2, 3, 50)) + text[at + 60 :]
    return text.encode("latin1", "replace")


class Reader:
    """分身: a fork that answers as policies.pdf's child does, one PDF after another, until one of them kills it."""

    def __init__(self) -> None:
        their_ear, self._ask = os.pipe()
        self._answer, to_us = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._ask)
            os.close(self._answer)
            _serve(their_ear, to_us)
        os.close(their_ear)
        os.close(to_us)

    def __call__(self, what: str, data: bytes) -> tuple[int, bytes]:
        """What it told, by its exit code; negative where a signal ended it, and then it is gone."""
        try:
            _write(self._ask, what.encode()[:1] + len(data).to_bytes(4, "big") + data)
            code = _read(self._answer, 1)[0]
            return code, _read(self._answer, int.from_bytes(_read(self._answer, 4), "big"))
        except (EOFError, BrokenPipeError):
            os.close(self._ask)
            os.close(self._answer)
            code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            self.pid = 0
            return (-signal.SIGXCPU if code == -signal.SIGPROF else code or 1), b""


def _serve(ear: int, tell: int) -> None:
    """Never returns."""
    try:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with open("/proc/self/statm", encoding="ascii") as held:
            has = int(held.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        pdf_child.limit(86_400, has + MEMORY)
        while True:
            what = {b"p": pdf_child.pages, b"t": pdf_child.tables}[_read(ear, 1)]
            data = _read(ear, int.from_bytes(_read(ear, 4), "big"))
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            code, told = 0, b""
            try:
                told = json.dumps(what(data)).encode()
            except SystemExit as end:
                code = int(end.code or 0)
            except MemoryError:
                code, told = 1, b"MemoryError"
            except Exception:  # whatever a foreign parser raises ends the real child with 1
                code = 1
            signal.setitimer(signal.ITIMER_PROF, 0)
            _write(tell, bytes([code]) + len(told).to_bytes(4, "big") + told)
    finally:
        os._exit(1)


def _write(to: int, data: bytes) -> None:
    while data:
        data = data[os.write(to, data) :]


def _read(source: int, size: int) -> bytes:
    out = b""
    while len(out) < size:
        got = os.read(source, min(size - len(out), 1 << 20))
        if not got:
            raise EOFError
        out += got
    return out


_reader: list[Reader] = []


def asked(what: str, data: bytes) -> Any:
    """问分身, as policies.pdf asks its child. Raises PdfTrouble."""
    if not _reader or not _reader[0].pid:
        _reader[:] = [Reader()]
    code, told = _reader[0](what, data)
    if code < 0:
        DIED[code] += 1
    return pdf.answered(code, told if code == 0 else b"", told)


DIED: Counter[int] = Counter()  # readers that a PDF killed, by signal


@contextmanager
def by_fork() -> Iterator[None]:
    """在分身里读: within the block policies.pdf asks the fork instead of a new process."""
    import pdfplumber  # noqa: F401  (read before anything forks)
    import pypdfium2  # noqa: F401

    before, pdf._asked = pdf._asked, asked
    try:
        yield
    finally:
        pdf._asked = before
