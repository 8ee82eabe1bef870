"""恶意文件: bombs, entities, endless lines and nests end in one clear sentence, quickly and in little memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pytest

from analysis.backtesting import read_paid_list
from engine import yamltext
from engine.archives import why_not_office
from engine.errors import Problem
from policies.decompose.pipeline import decompose
from policies.read import LONGEST_LINE, MOST_LETTERS, Unreadable, read_document, read_tables
from profiles.exchange import parse_yaml
from profiles.source import SourceError, parse_source
from store.sheets import read_rows

WORD = "word/document.xml"
LAUGHS = b"".join(b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 10) for c in range(98, 108))


def rebuilt(source: bytes, target: Path, name: str, make: Callable[[bytes], bytes]) -> Path:
    with (
        zipfile.ZipFile(io.BytesIO(source)) as box,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for member in box.namelist():
            data = box.read(member)
            out.writestr(member, make(data) if member == name else data)
    return target


def a_document() -> bytes:
    made = docx.Document()
    made.add_paragraph("给予10万元奖励")
    kept = io.BytesIO()
    made.save(kept)
    return kept.getvalue()


def a_workbook() -> bytes:
    made = openpyxl.Workbook()
    made.active.append(["统一社会信用代码", "企业名称"])
    kept = io.BytesIO()
    made.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda b: b.replace(b"</w:body>", b"<w:p/>" * 20_000_000 + b"</w:body>"), "解开有"),
        (lambda b: b.replace(b"<w:document", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><w:document', 1), "DOCTYPE"),
        (lambda b: b.replace(b"<w:document", b'<!DOCTYPE x [<!ENTITY a "a">' + LAUGHS + b"]><w:document", 1), "DOCTYPE"),
        (lambda b: b.replace(b"<w:document", b"<!--" + b"x" * 20_000 + b'--><!DOCTYPE x [<!ENTITY a "a">]><w:document', 1), "DOCTYPE"),
        (lambda b: ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "a">]>' + b.decode().split("?>")[1]).encode("utf-16"), "DOCTYPE"),
        (lambda b: b[: len(b) // 2], "不是完好的"),
        (lambda b: b"\x00" * 1000, "不是完好的"),
    ],
    ids=["bomb", "xxe", "laughs", "laughs behind a comment", "laughs in utf-16", "cut", "zeros"],
)  # fmt: skip
def test_a_hostile_docx_is_told_before_it_is_opened(tmp_path: Path, make, says: str) -> None:
    path = rebuilt(a_document(), tmp_path / "a.docx", WORD, make)
    with pytest.raises(Unreadable, match=says):
        read_document(path)


def table_of(rows: str) -> Callable[[bytes], bytes]:
    table = f"<w:tbl><w:tblPr/><w:tblGrid><w:gridCol/><w:gridCol/></w:tblGrid>{rows}</w:tbl>"
    return lambda b: b.replace(b"</w:body>", table.encode() + b"</w:body>")


def cell_of(text: str, about: str = "") -> str:
    return f"<w:tc><w:tcPr>{about}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"


def test_a_cell_across_a_thousand_million_columns_is_no_wider_than_a_table_can_be(tmp_path: Path) -> None:
    """It once took 12 GB and a minute: python-docx makes a cell for each column that one says it covers."""
    wide = cell_of("甲", '<w:gridSpan w:val="1000000000"/>')
    before = '<w:trPr><w:gridBefore w:val="1000000000"/></w:trPr>' + cell_of("乙")
    path = rebuilt(
        a_document(), tmp_path / "a.docx", WORD, table_of(f"<w:tr>{wide}</w:tr><w:tr>{before}</w:tr>")
    )
    assert "甲" in read_document(path)
    assert [len(row) for row in read_tables(path)[0]] == [200, 201]


def test_a_column_merged_over_thousands_of_rows_is_read(tmp_path: Path) -> None:
    """900 rows took 16 s, and 3,000 more depth than there is."""
    rows = "".join(
        f"<w:tr>{cell_of('某区', '<w:vMerge/>' if n else _BEGINS)}{cell_of(f'第{n}家公司')}</w:tr>"
        for n in range(3000)
    )
    path = rebuilt(a_document(), tmp_path / "a.docx", WORD, table_of(rows))
    (table,) = read_tables(path)
    assert table[2999] == ["某区", "第2999家公司"] and len(table) == 3000


_BEGINS = '<w:vMerge w:val="restart"/>'


def test_a_bomb_of_a_workbook_is_refused_by_every_reader(tmp_path: Path) -> None:
    sheet = "xl/worksheets/sheet1.xml"
    row = b'<row><c t="inlineStr"><is><t>' + b"A" * 1000 + b"</t></is></c></row>"
    path = rebuilt(
        a_workbook(), tmp_path / "a.xlsx", sheet, lambda b: b.replace(b"</sheetData>", row * 150_000)
    )
    with pytest.raises(ValueError, match="解开有"):
        list(read_rows(path, ("统一社会信用代码", "企业名称"), "名单"))
    with pytest.raises(ValueError, match="解开有"):
        read_paid_list(path)
    assert issubclass(SourceError, ValueError)
    assert why_not_office(io.BytesIO(a_workbook())) == ""


def test_too_many_members_and_no_archive_at_all() -> None:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as box:
        for i in range(3_000):
            box.writestr(f"{i}.xml", b"")
    assert "3,000" in why_not_office(kept)
    assert "坏了" in why_not_office(io.BytesIO(b"not a zip"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1" * (MOST_LETTERS + 1), "字，超过"),
        ("一" * (LONGEST_LINE + 1), "有一段长"),
        ("\x00" * 100, "没有文字"),
        ("", "没有文字"),
    ],
)
def test_texts_that_are_no_policy(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Unreadable, match=says):
        read_document(path)


@pytest.mark.parametrize("read", [read_document, read_tables, read_paid_list])
def test_a_page_of_nests_and_a_tag_of_attributes(tmp_path: Path, read: Callable[[Path], object]) -> None:
    """The tables of such pages took 80 and 28 s."""
    path = tmp_path / "a.html"
    path.write_text("<div>" * 50_000 + "给予10万元奖励" + "</div>" * 50_000, encoding="utf-8")
    with pytest.raises(Unreadable, match="套得太深"):
        read(path)
    path.write_text(
        "<a " + " ".join(f"a{i}=1" for i in range(100_000)) + ">给予10万元奖励</a>", encoding="utf-8"
    )
    with pytest.raises(Unreadable, match="几百个属性"):
        read(path)
    path.write_text(
        f'<img src="data:image/png;base64,{"A" * 90_000}=="><p>给予10万元奖励</p>', encoding="utf-8"
    )
    assert "奖励" in read_document(path), "a picture inside the page is no attack"


@pytest.mark.parametrize(
    "unit", ["1", "（", "一", "1,", "万", "（一）", "、", "10%以上", "给予10万元，", "\u202e甲\u200b"]
)
def test_the_longest_line_of_anything_is_decomposed(unit: str) -> None:
    text = unit * (LONGEST_LINE // len(unit))
    found = decompose(text)
    assert "".join(c.text for c in found.clauses) in text


DEEP = [
    "[" * 100_000,
    "{a: " * 100_000,
    "- " * 20_000 + "a",
    "? " * 20_000 + "a",
    "\n".join(" " * n + "a:" for n in range(2000)),
    "a: [[" * 50 + "[" * 9000,
]
LAUGH = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize("text", DEEP, ids=["lists", "maps", "dashes", "keys", "indents", "mixed"])
def test_a_nest_of_yaml_is_told_and_does_not_take_the_process_with_it(text: str) -> None:
    """The parser in C goes down one call a level: a hundred thousand brackets ended the desk by a signal."""
    problems: list[Problem] = []
    assert yamltext.read(text, "a.yaml", problems.append) is None and "嵌套超过" in problems[0].message
    for read in (parse_source, parse_yaml):
        with pytest.raises(ValueError, match="嵌套超过"):
            read(text, "a.yaml")


def test_references_to_references_are_not_built() -> None:
    problems: list[Problem] = []
    assert yamltext.read(LAUGH, "a.yaml", problems.append) is None and "锚点和引用" in problems[0].message
    for read in (parse_source, parse_yaml):
        with pytest.raises(ValueError, match="锚点和引用"):
            read(LAUGH, "a.yaml")
    for sound in ("a: 3*4\nb: '*x'\n", "a: x *y*\n", "# [[[[ {{{{\na: '" + "[" * 500 + "'\n"):
        assert parse_yaml(sound, "a.yaml")


def test_a_tag_that_names_a_call_is_refused(tmp_path: Path) -> None:
    text = f"a: !!python/object/apply:os.mkdir ['{tmp_path / 'made'}']\n"
    problems: list[Problem] = []
    assert yamltext.read(text, "a.yaml", problems.append) is None and problems
    for read in (parse_source, parse_yaml):
        with pytest.raises(ValueError, match="YAML"):
            read(text, "a.yaml")
    assert not (tmp_path / "made").exists()
