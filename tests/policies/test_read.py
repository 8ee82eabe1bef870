"""读文件: each format gives its text; what can't be read says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.read import Unreadable, read_document, reflow
from tests.policies.policy_text import MEASURES

LINES = [line for line in MEASURES.split("\n") if line]


def test_text_in_utf8_gbk_and_windows_line_ends_is_the_same(tmp_path: Path) -> None:
    for name, data in (
        ("a.txt", MEASURES.encode()),
        ("b.txt", MEASURES.encode("gb18030")),
        ("c.txt", MEASURES.replace("\n", "\r\n").encode("utf-8-sig")),
    ):
        (tmp_path / name).write_bytes(data)
        assert read_document(tmp_path / name) == MEASURES


def test_docx_keeps_paragraphs_and_tables_in_order(tmp_path: Path) -> None:
    import docx

    document = docx.Document()
    document.add_paragraph(LINES[0])
    table = document.add_table(rows=3, cols=3)
    for r, row in enumerate(
        (("级别", "条件", "标准"), ("国家级", "首次认定", "100万元"), ("省级", "首次认定", "50万元"))
    ):
        for c, text in enumerate(row):
            table.cell(r, c).text = text
    pairs = document.add_table(rows=1, cols=2)
    pairs.cell(0, 0).text, pairs.cell(0, 1).text = "申报条件", "在本区登记注册。"
    document.add_paragraph(LINES[2])
    document.save(str(tmp_path / "a.docx"))
    assert read_document(tmp_path / "a.docx").split("\n") == [
        LINES[0],
        "级别：国家级，条件：首次认定，标准：100万元",
        "级别：省级，条件：首次认定，标准：50万元",
        "申报条件",
        "在本区登记注册。",
        LINES[2],
    ]


def test_docx_shows_the_labels_word_numbers_by_itself(tmp_path: Path) -> None:
    import docx

    document = docx.Document()
    for text in ("在本区登记注册", "具有独立法人资格"):
        document.add_paragraph(text, style="List Number")
    document.save(str(tmp_path / "a.docx"))
    lines = read_document(tmp_path / "a.docx").split("\n")
    assert lines == ["1.在本区登记注册", "2.具有独立法人资格"]  # the style carries the numbering


def test_html_in_gbk_gives_the_article_without_navigation(tmp_path: Path) -> None:
    body = "".join(f"<p>{line}</p>" for line in LINES)
    page = (
        '<html><head><meta charset="gb2312"><script>var a=1;</script></head><body><nav>首页 政务公开</nav>'
        f'<div class="TRS_Editor">{body}<table><tr><td>对象</td><td>企业</td></tr></table></div>'
        "<footer>版权所有</footer></body></html>"
    )
    (tmp_path / "a.html").write_bytes(page.encode("gb18030"))
    assert read_document(tmp_path / "a.html").split("\n") == [*LINES, "对象", "企业"]


def test_html_without_a_known_container_gives_its_densest_part(tmp_path: Path) -> None:
    body = "".join(f"<p>{line}</p>" for line in LINES)
    (tmp_path / "a.html").write_text(
        f"<body><div>导航</div><div id='x'>{body}</div></body>", encoding="utf-8"
    )
    assert LINES[6] in read_document(tmp_path / "a.html").split("\n")


def test_markdown_loses_its_marks(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# 若干措施\n\n**第一条** 见[办法](http://x)\n", encoding="utf-8")
    assert read_document(tmp_path / "a.md") == "若干措施\n\n第一条 见办法\n"


def _pdf(path: Path, lines: list[str]) -> None:
    import matplotlib
    import pylopdf_fonts_zh_cn

    matplotlib.use("Agg")
    from matplotlib import font_manager, pyplot

    font = Path(pylopdf_fonts_zh_cn.__file__).with_name("NotoSansSC-Regular.otf")
    figure = pyplot.figure(figsize=(8, 11))
    for n, line in enumerate(lines):
        figure.text(
            0.05, 0.95 - 0.03 * n, line, fontproperties=font_manager.FontProperties(fname=str(font), size=9)
        )
    with matplotlib.rc_context({"pdf.fonttype": 42}):
        figure.savefig(path)
    pyplot.close(figure)


def test_pdf_with_a_text_layer_is_read(tmp_path: Path) -> None:
    _pdf(tmp_path / "a.pdf", LINES[:12])
    text = read_document(tmp_path / "a.pdf")
    assert "按照研发费用的10%给予补助" in text.replace("\n", "")


def test_a_scan_asks_for_recognition(tmp_path: Path) -> None:
    _pdf(tmp_path / "a.pdf", [])
    with pytest.raises(Unreadable, match="扫描件"):
        read_document(tmp_path / "a.pdf")


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.doc", b"\xd0\xcf\x11\xe0" + b"0" * 64), ("b.wps", b"x"), ("c.docx", b"\xd0\xcf\x11\xe0")],
)
def test_old_formats_say_how_to_save_them(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Unreadable, match=r"另存为 \.docx"):
        read_document(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.docx", b"no zip", "另存为"),
        ("a.pdf", b"no pdf", "损坏"),
        ("a.txt", b"  \n", "没有文字"),
        ("a.xyz", b"a", "不认识"),
    ],
)
def test_broken_files_are_told_in_one_line(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Unreadable, match=words) as told:
        read_document(tmp_path / name)
    assert "\n" not in str(told.value)


def test_lines_that_a_page_broke_are_put_together() -> None:
    text = "第一条 对符合条件的企业按照研发费用的百分之十给予补"
    assert reflow([text, "助。", "- 3 -", "第二条 给予奖励。", text[:20], "x", "y"])[:28] == text + "助。"


def test_a_table_in_a_cell_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    inner = "<table><tr><td>内一</td><td>内二</td></tr></table>"
    path.write_text(
        f"<p>{'说明。' * 40}</p><table><tr><td>外一{inner}</td><td>外二</td></tr></table>", encoding="utf-8"
    )
    text = read_document(path)
    assert [text.count(word) for word in ("外一", "内一", "内二", "外二")] == [1, 1, 1, 1]
