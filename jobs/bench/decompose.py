"""测速 decompose: one policy text from its characters to items, after start-up (words and models read)."""

from __future__ import annotations

import time
from pathlib import Path

from jobs.bench.match import Report, Row
from policies.decompose.pipeline import decompose
from policies.read import read_document

LIBRARY = Path(__file__).resolve().parents[2] / "policies" / "library"
LONGEST = 10_000  # characters


def library_text() -> str:
    """样例原文: the bundled documents one behind the other, one paragraph a line, cut at `LONGEST` characters."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(LIBRARY.glob("*/text.md"))]
    return "\n".join(texts)[:LONGEST]


def bench_decompose(path: Path | None = None) -> Report:
    """测速: start-up on a short text, then the text of `path` (else `library_text`), first and once more.

    Raises:
        policies.read.Unreadable: the file cannot be read as a policy.
    """
    text = library_text() if path is None else read_document(path)[:LONGEST]
    report, seconds, processor, items = Report(1, 0), [], [], 0
    for one in ("第一条 对符合条件的企业给予1万元补贴。", text, text):
        wall, used = time.perf_counter(), time.process_time()
        items = len(decompose(one).items)
        seconds.append(time.perf_counter() - wall)
        processor.append(time.process_time() - used)
    for name, at in (("启动（词典和模型）", 0), ("分解", 1), ("同一篇再分解", 2)):
        report.rows.append(Row(name, [seconds[at]], note=f"处理器 {processor[at]:.2f} 秒"))
    report.facts["字数"] = float(len(text))
    report.facts["事项数"] = float(items)
    return report
