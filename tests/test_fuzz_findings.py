"""弄坏的输入: a short round of scripts/fuzz_parsers.py, and every input that once was a finding."""

from __future__ import annotations

import io
import zipfile

import pytest

from engine.errors import ExpressionError
from engine.expression import parse_condition
from jobs.backup import MANIFEST
from profiles.dictionary import builtin_dictionary
from scripts.fuzz_foreign import a_backup, a_parquet
from scripts.fuzz_parsers import SOURCE, Input, a_document, a_workbook, fuzz, parsers, try_one


def rebuilt(source: bytes, name: str, old: bytes, new: bytes | None) -> bytes:
    """An office file one member of which is another, or is not there."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as box, zipfile.ZipFile(kept, "w") as out:
        for member in box.namelist():
            if member != name:
                out.writestr(member, box.read(member))
            elif new is not None:
                data = box.read(member)
                assert old in data
                out.writestr(member, data.replace(old, new, 1))
    return kept.getvalue()


def spoilt_books() -> list[tuple[str, bytes]]:
    book = a_workbook()
    return [
        ("xml", rebuilt(book, "xl/worksheets/sheet1.xml", b"</row>", b"</rov>")),
        ("attribute", rebuilt(book, "xl/workbook.xml", b"<workbookView ", b'<workbookView x="1" ')),
        ("no types", rebuilt(book, "[Content_Types].xml", b"", None)),
        ("no sheets", rebuilt(book, "xl/workbook.xml", b"<sheet ", b"<shoot ")),
        ("styles", rebuilt(book, "xl/styles.xml", b"<fonts", b"<fants")),
    ]


def misnamed(backup: bytes) -> bytes:
    """A backup whose first file is named in no encoding where it stands, and well in the list at the end."""
    out = bytearray(backup)
    out[7] |= 8  # its name is UTF-8, it says
    out[30] = 0xCD
    return bytes(out)


FINDINGS = [
    ("document", Input(b"\xef\xbb\xbf\xbb", ".txt")),
    ("document", Input(b"\xff\xfe^", ".html")),
    ("document", Input(b"<table><tr><td>a" * 60, ".html")),
    ("docx", Input(b"\x00" + a_document()[2000:], ".docx")),
    ("docx", Input(rebuilt(a_document(), "word/document.xml", b"w:gridSpan", b"w:gridSpin"), ".docx")),
    ("cells", Input("54066301215406630121500")),
    ("cases", Input("cases: [{name: a, with: {发明专利授权数: {202²: 1件}}, expect: {verdict: 符合}}]".encode(), ".yaml")),
    ("quantities", Input("2/0")),
    ("rule", Input(b"batches: {a: {opens: 2620262026-1-1}}", ".yaml")),
    ("cells", Input("1e9991215")),
    ("record", Input("称: 0000-01-01")),
    ("record", Input("称: " + "1" * 5000)),
    ("record", Input("营业收入@2: NaN")),
    ("record", Input("注册资本: " + "1" * 4301)),
    ("record", Input("营业收入@2: 1e9992")),
    ("record", Input("注册资本: 1e999999")),
    ("record", Input("注册资本: -1e999999999999999999999元")),
    ("source", Input(SOURCE.replace(r"_(\d{8})", r"_(\d{800010101})"))),
    ("record", Input("~: 1")),
    ("record", Input("注册资本: [1]")),
    ("record", Input("企业名称: {~: 1}")),
    ("record", Input("企业名称: ~")),
    ("record", Input("企业名称: 2024-01-01")),
    ("record", Input("企业名称: {原样: [1}")),
    ("record", Input("企业名称: {原样: 1}")),
    ("record", Input("企业名称: {原样: x}")),
    ("record", Input("企业名称: [2024-01-01]")),
    ("record", Input("企业名称: [{~: 1}]")),
    ("record", Input("入@@: 1")),
    ("record", Input("1: 2")),
    ("expression", Input("(" * 3000 + "1")),
    ("expression", Input("1" + "+1" * 3000 + ">0")),
    ("cases", Input("cases: [{name: a, with: {高新技术企业有效期至: 2620262026-1-1}, expect: {verdict: 符合}}]".encode(), ".yaml")),
    ("decompose", Input("对上年度营业收入达到万元（含）以上且同比增长10%的企业，给予最高不超过30" + "万元的0" * 730 + "万元的一次性奖励。")),
    ("decompose", Input("## 第六条 基本条件\n\n（一）在中国境内注册的居民企业；\n\n（二）职工总数不超过500人" + "、年0人" * 730)),
    ("backup", Input(rebuilt(a_backup(), MANIFEST, b'"sha256"', b'"sha25"'), ".zip")),
    ("backup", Input(rebuilt(a_backup(), MANIFEST, b'"members": {', b'"members": [{'), ".zip")),
    ("backup", Input(misnamed(a_backup()), ".zip")),
    ("settings", Input("1" * 4424 + " 1 1")),
    ("answers", Input(b"\xac", ".jsonl")),
    ("answers", Input(b"[" * 5000, ".jsonl")),
    ("calendar", Input(b"\x82", ".csv")),
    ("calendar", Input("日期,安排,节日\n2027-01-01,休,\x00\n".encode(), ".csv")),
    ("paid", Input("企业名称,金额\n甲公司,1\n".encode() + b"\xbb", ".csv")),
    ("paid", Input(b"\xff\xfe<\x00p\x00<", ".csv")),
    ("parquet", Input(a_parquet()[:-20] + b"\x00" * 12 + a_parquet()[-8:], ".parquet")),
    ("profiles", Input(b"1" * 5000, ".jsonl")),
    ("profiles", Input('{"统一社会信用代码":"1","营业收入":{"2024":99999999999999999995}}'.encode(), ".jsonl")),
    ("profiles", Input(('{"统一社会信用代码":"1","营业收入":{"2024":1' + "0" * 400 + "}}").encode(), ".jsonl")),
    ("address", Input("http://[::1")),
    ("address", Input("https://a:99999/")),
    ("address", Input("http://[::%元]")),
    ("reply", Input("²")),
    ("reply", Input("[" * 5000)),
    ("query", Input("page=" + "9" * 5000)),
    *[(name, Input(data, ".xlsx")) for _, data in spoilt_books() for name in ("workbook", "payments.xlsx")],
]  # fmt: skip


@pytest.mark.parametrize(("name", "given"), FINDINGS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(FINDINGS)])
def test_a_finding_stays_mended(name: str, given: Input) -> None:
    assert try_one(name, given) == ""


@pytest.mark.parametrize("text", ["(" * 3000 + "1", "1" + "+1" * 3000 + ">0"])
def test_a_huge_expression_is_told_so(text: str) -> None:
    with pytest.raises(ExpressionError, match="请拆成几条"):
        parse_condition(text, builtin_dictionary(), {})


@pytest.mark.parametrize("name", parsers())
def test_a_short_round_finds_nothing(name: str) -> None:
    inputs = 100 if name in ("decompose", "docx", "workbook", "payments.xlsx") else 300
    assert [(number, wrong) for number, _, wrong in fuzz(name, inputs, seed=1)] == []


def test_a_fault_in_foreign_words_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    make = parsers()["codes"][0]
    monkeypatch.setitem(parsers(), "codes", (make, lambda given: int("一")))
    assert "ValueError" in try_one("codes", Input("x"))
    monkeypatch.setitem(parsers(), "codes", (make, lambda given: {}[given.data]))
    assert "KeyError" in try_one("codes", Input("x"))


def test_a_term_of_thousands_of_digits_is_told() -> None:
    from engine.indicators import read_indicators

    found: list[object] = []
    read_indicators("甲: {kind: 金额, fresh_for: " + "9" * 5000 + "天}\n", "a.yaml", found.append)
    assert len(found) == 1 and "fresh_for" in str(found[0])


def test_a_pattern_nested_thousands_deep_is_told() -> None:
    from profiles.source import _readable

    with pytest.raises(ValueError, match="读不通"):
        _readable("(" * 5000 + ")" * 5000, "columns › 甲")
