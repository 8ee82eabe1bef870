"""PDF 的子进程: what hangs, eats memory or breaks the parser ends in one sentence."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from policies import pdf
from policies.pdf import PdfTrouble, pdf_pages, pdf_tables
from policies.read import Unreadable, read_document, read_tables


def a_pdf(*objects: str) -> bytes:
    """A PDF of the given objects, numbered from 1; the first is the catalogue."""
    out, at = b"%PDF-1.7\n", []
    for number, text in enumerate(objects, 1):
        at.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n".encode("latin1")
    table = "".join(f"{n:010d} 00000 n \n" for n in at)
    start = len(out)
    tail = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\n"
    return out + f"{tail}startxref\n{start}\n%%EOF\n".encode("latin1")


def stream(text: str, more: str = "") -> str:
    return f"<</Length {len(text)}{more}>>\nstream\n{text}\nendstream"


def laughing(depth: int, width: int) -> bytes:
    """Forms that draw forms that draw forms: a few hundred bytes, width ** depth words."""
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    base = [
        "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</XObject<</F 6 0 R>>/Font<</A 5 0 R>>>>>>",
        stream("/F Do"), font,
    ]  # fmt: skip
    for level in range(depth):
        inner = f"/XObject<</F {7 + level} 0 R>>" if level < depth - 1 else "/Font<</A 5 0 R>>"
        body = "/F Do " * width if level < depth - 1 else "BT /A 9 Tf 10 10 Td (ha) Tj ET"
        base.append(stream(body, f"/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<<{inner}>>"))
    return a_pdf(*base)


def sound(words: str = "grant of 10") -> bytes:
    return (
        laughing(1, 1)
        .replace(b"(ha)", f"({words})".encode())
        .replace(b"/Length 30", f"/Length {28 + len(words)}".encode())
    )


def test_a_sound_one_is_read() -> None:
    assert [p.strip() for p in pdf_pages(sound())] == ["grant of 10"]
    assert pdf_tables(sound()) == [[["grant", "of", "10"]]]


@pytest.mark.parametrize("read", [read_document, read_tables])
def test_one_that_never_ends_is_stopped(tmp_path: Path, monkeypatch, read) -> None:
    monkeypatch.setattr(pdf, "SECONDS", 2)
    path = tmp_path / "哈.pdf"
    path.write_bytes(laughing(9, 30))
    with pytest.raises(Unreadable, match=r"哈\.pdf 读了 2 秒还没有读完"):
        read(path)


CHILDREN = {
    "while True: pass": "还没有读完",
    "x = bytearray(8 << 30)": "要的内存太多",
    "import os; os.kill(os.getpid(), 11)": "读不下去",
    "import os; os.kill(os.getpid(), 9)": "要的内存太多",
    "raise KeyError('Pages')": "读不下去",
    "import os; os.write(os.open('/tmp/huiqi-pdf-canary', os.O_CREAT | os.O_WRONLY), b'x' * 9)": "读不下去",
}


@pytest.mark.parametrize(("body", "said"), CHILDREN.items(), ids=[b[:16] for b in CHILDREN])
def test_whatever_befalls_the_child_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch, body: str, said: str
) -> None:
    child = tmp_path / "child.py"
    start = f"import sys\nsys.path.insert(0, {str(pdf.CHILD.parent)!r})\nimport pdf_child\n"
    child.write_text(
        f"{start}pdf_child.limit(int(sys.argv[2]), int(sys.argv[3]))\n{body}\n", encoding="utf-8"
    )
    monkeypatch.setattr(pdf, "CHILD", child)
    monkeypatch.setattr(pdf, "SECONDS", 1)
    with pytest.raises(PdfTrouble, match=said):
        pdf_pages(b"%PDF-1.7")
    canary = Path("/tmp/huiqi-pdf-canary")
    assert not canary.exists() or canary.read_bytes() == b""
    canary.unlink(missing_ok=True)


def test_a_machine_too_busy_is_not_waited_for_without_end(tmp_path: Path, monkeypatch) -> None:
    child = tmp_path / "child.py"
    child.write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    monkeypatch.setattr(pdf, "CHILD", child)
    monkeypatch.setattr(pdf, "WAIT", 1)
    with pytest.raises(PdfTrouble, match="还没有读完"):
        pdf_tables(b"%PDF-1.7")


def test_too_many_pages() -> None:
    kids = " ".join(f"{n} 0 R" for n in range(3, 2105))
    page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
    many = a_pdf("<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count 2102>>", *[page] * 2102)
    with pytest.raises(PdfTrouble, match="超过 2000 页"):
        pdf_pages(many)


def test_the_fork_of_the_fuzzing_answers_as_the_child_does() -> None:
    from scripts import fuzz_pdf

    for data in (
        *fuzz_pdf.seeds(),
        sound(),
        b"%PDF-1.7",
        fuzz_pdf.of_objects("<</Pages 1 0 R/Kids[1 0 R]>>"),
    ):
        for read in (pdf_pages, pdf_tables):
            answers = []
            for way in (nullcontext, fuzz_pdf.by_fork):
                with way():
                    try:
                        answers.append(read(data))
                    except PdfTrouble as trouble:
                        answers.append(str(trouble))
            assert answers[0] == answers[1]
    assert fuzz_pdf.seeds()[0] and "第一条给予最高十万元" in pdf_pages(fuzz_pdf.seeds()[0])[0]


def test_a_reader_that_a_pdf_kills_is_told_and_replaced(monkeypatch) -> None:
    from scripts import fuzz_pdf

    monkeypatch.setattr(fuzz_pdf, "SECONDS", 1)
    fuzz_pdf._reader.clear()
    with fuzz_pdf.by_fork():
        with pytest.raises(PdfTrouble, match="还没有读完"):
            pdf_pages(laughing(9, 30))
        assert pdf_pages(sound())[0].strip() == "grant of 10"
    assert sum(fuzz_pdf.DIED.values()) == 1
