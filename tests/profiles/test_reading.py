"""读取: every physical row is a row or a named fault."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from profiles.reading import open_table, tell_encoding
from profiles.source import SourceError, parse_source

SOURCE = parse_source(
    "source: t\ndepartment: 局\nfirm: {code: 代码, name: 名称}\ncolumns: {名称: {indicator: 企业名称}}\n",
    "t.yaml",
)
HEADER = ["代码", "名称", "说明"]


def read(path: Path, chunk: int = 3):
    with open_table(path, SOURCE, chunk) as table:
        chunks = list(table.chunks)
    return (
        table.header,
        [(n, list(r)) for c in chunks for n, r in zip(c.lines, c.rows, strict=True)],
        [b for c in chunks for b in c.bad],
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_are_told(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_text("代码,名称,说明\n1,滨海示范有限公司,“引号”\n", encoding=encoding)
    header, rows, bad = read(path)
    assert header == HEADER
    assert rows == [(2, ["1", "滨海示范有限公司", "“引号”"])]
    assert bad == []


def test_a_few_broken_bytes_do_not_make_it_another_encoding(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(("代码,名称,说明\n" + "1,甲公司,好\n" * 200).encode() + b"2,\xff\xfe\xb0,x\n")
    assert tell_encoding(path) == "utf-8"
    _, rows, _ = read(path)
    assert "\ufffd" in rows[-1][1][1]


def test_shifted_and_unclosed_rows_cost_only_themselves(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        '代码,名称,说明\n1,甲,"一\n二"\n2,乙,多,一列\n3,丙\n4,"丁,没有配对\n5,戊,好\n6,己,"尾巴\n', "utf-8"
    )
    _, rows, bad = read(path)
    assert [r[0] for r in rows] == [2, 7]
    assert rows[0][1] == ["1", "甲", "一\n二"]
    assert [(line, code) for line, code, _ in bad] == [
        (4, "columns"),
        (5, "columns"),
        (6, "quote"),
        (8, "quote"),
    ]


def test_a_file_cut_off_inside_a_quoted_last_cell_is_a_fault(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('代码,名称,说明\n1,甲,好\n2,乙,"经营范围写到一', "utf-8")
    _, rows, bad = read(path)
    assert [r[0] for r in rows] == [2]
    assert bad == [(3, "quote", "引号没有配对，这一行读不完整")]


@pytest.mark.parametrize("before", [0, 990, 1000, 1500])
def test_quotes_over_lines_read_the_same_wherever_they_stand(tmp_path, before):
    path = tmp_path / "a.csv"
    plain = [f"{n},企业{n},好\n" for n in range(before)]
    path.write_text(
        "代码,名称,说明\n" + "".join(plain) + 'x,甲,"一\n二"\ny,"乙,没有配对\n\nz,丙,好\n', "utf-8"
    )
    _, rows, bad = read(path, chunk=700)
    assert len(rows) == before + 2
    assert rows[before] == (before + 2, ["x", "甲", "一\n二"])
    assert rows[before + 1] == (before + 6, ["z", "丙", "好"])
    assert [(line, code) for line, code, _ in bad] == [(before + 4, "quote")]


def test_a_quote_does_not_swallow_the_next_row(tmp_path):
    path = tmp_path / "a.csv"
    code = "91120116MA05J7AB5W"
    path.write_text(f'代码,名称,说明\n1,甲,"开头没有收\n{code},"乙",好\n3,丙,好\n', "utf-8")
    _, rows, bad = read(path)
    assert [r[0] for r in rows] == [3, 4]
    assert bad[0][0] == 2


texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffd\ufeff"), max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=12))
def test_written_csv_reads_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    _, found, bad = read(path)
    assert [tuple(r) for _, r in found] == [tuple(r) for r in rows]
    assert bad == []


def test_spreadsheets_json_lines_and_parquet(tmp_path):
    book = Workbook()
    page = book.active
    page.append(HEADER)
    page.append(["1", "甲", date(2024, 6, 30)])
    page.append([None, None, None])
    page.append(["2", "乙", 12.5])
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx")[1] == [(2, ["1", "甲", "2024-06-30"]), (4, ["2", "乙", "12.5"])]
    lines = [{"代码": "1", "名称": "甲"}, "not", {"代码": "2", "说明": None, "名称": "乙"}]
    nest = "[" * 100_000
    (tmp_path / "a.jsonl").write_text("\n".join([*(json.dumps(x) for x in lines), nest]), "utf-8")
    header, rows, bad = read(tmp_path / "a.jsonl")
    assert header == HEADER
    assert rows == [(1, ["1", "甲", ""]), (3, ["2", "乙", ""])]
    assert [b[0] for b in bad] == [2, 4]
    pq.write_table(pa.table({"代码": ["1"], "名称": ["甲"], "说明": [3]}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet")[1] == [(1, ["1", "甲", "3"])]


def test_text_of_another_encoding_in_a_parquet_is_kept_as_what_can_be_read(tmp_path):
    wrong = pa.array([b"1", "甲".encode("gb18030")]).view(pa.string())
    pq.write_table(pa.table({"代码": ["1", "2"], "名称": wrong}), tmp_path / "a.parquet")
    (_, rows, bad) = read(tmp_path / "a.parquet")
    assert rows[0] == (1, ["1", "1"]) and "\ufffd" in rows[1][1][1] and bad == []


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.csv", b"", "文件是空的"),
        ("a.csv", b"\n1,2\n", "没有表头"),
        ("a.csv", "代码,代码\n1,2\n".encode(), "有两列"),
        ("a.doc", b"x", "认不出文件格式"),
        ("a.xls", b"x", "请另存为"),
        ("a.parquet", b"x", "不是可读的 Parquet"),
        ("a.jsonl", b"x", "没有一行是 JSON"),
        ("a.csv", ",".join(map(str, range(100_000))).encode(), "100,000 列"),
        ("a.csv", b"PK\x03\x04\x00,x\n", "是Excel 文件或压缩包，不是文字"),
        ("a.csv", b"%PDF-1.7\n1,2\n", "是PDF，不是文字"),
        ("a.txt", b"\xd0\xcf\x11\xe0\xa1\xb1", "是旧格式的 Office"),
        ("a.jsonl", b"\x1f\x8b\x08", "是压缩文件"),
    ],
)
def test_unreadable_files_say_why(tmp_path, name, body, said):
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises(SourceError, match=said):
        read(path)


def test_a_file_of_another_encoding_than_declared_is_told_by_its_name(tmp_path):
    """Read as declared, every heading would be unreadable and be missed as a column."""
    path = tmp_path / "a.csv"
    path.write_bytes("统一社会信用代码,企业名称\n1,甲公司\n".encode("gbk"))
    declared = SOURCE.model_copy(update={"file": SOURCE.file.model_copy(update={"encoding": "utf-8"})})
    with (
        pytest.raises(SourceError, match=r"是 GBK（GB18030）编码.*另存为 UTF-8"),
        open_table(path, declared, 3),
    ):
        pass
    assert read(path)[0] == ["统一社会信用代码", "企业名称"]


def test_a_folder_is_told_to_be_one(tmp_path):
    with pytest.raises(SourceError, match="是文件夹"):
        read(tmp_path)
