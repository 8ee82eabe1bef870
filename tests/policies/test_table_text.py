"""表格: tables of .docx, .html and Markdown as lines; merged cells, heads of several rows, lists, forms and rows of sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from policies.decompose.model import Item
from policies.decompose.pipeline import decompose
from policies.read import read_document, read_tables
from policies.table_text import plain, spanned, table_lines


def _lines(*rows: str) -> list[str]:
    return list(table_lines(plain([row.split("|") for row in rows])))


def _docx(tmp_path: Path, rows: list[list[str]], merges: list[tuple[int, int, int, int]] = ()) -> Path:  # type: ignore[assignment]
    import docx

    document = docx.Document()
    document.add_paragraph("示例区创新奖励办法")
    document.add_paragraph("第一条　对下列事项给予一次性奖励，标准见下表。")
    table = document.add_table(rows=len(rows), cols=max(map(len, rows)))
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            table.cell(r, c).text = text
    for a, b, c, d in merges:
        table.cell(a, b).merge(table.cell(c, d))
    document.save(str(tmp_path / "a.docx"))
    return tmp_path / "a.docx"


def _told(path: Path) -> list[str]:
    return read_document(path).split("\n")[2:]


def _amounts(item: Item) -> list[Any]:
    return [b.get("amount") or (b.get("rate"), b.get("cap")) for b in item.benefits]


def test_a_cell_merged_over_rows_stands_in_each_of_them(tmp_path: Path) -> None:
    rows = [
        ["奖励类别", "级别", "奖励金额"],
        ["企业技术中心", "国家级", "100万元"],
        ["", "省级", "50万元"],
        ["重点实验室", "国家级", "200万元"],
    ]
    path = _docx(tmp_path, rows, [(1, 0, 2, 0)])
    assert _told(path) == [
        "奖励类别：企业技术中心，级别：国家级，奖励金额：100万元",
        "奖励类别：企业技术中心，级别：省级，奖励金额：50万元",
        "奖励类别：重点实验室，级别：国家级，奖励金额：200万元",
    ]
    items = decompose(read_document(path)).items
    assert [_amounts(i) for i in items] == [[1000000, 500000], [2000000]]
    assert [i.title for i in items] == ["企业技术中心奖励", "重点实验室奖励"]
    assert read_tables(path)[0][2] == ["企业技术中心", "省级", "50万元"]


def test_a_cell_merged_over_columns_keeps_its_row_in_line_with_the_heads(tmp_path: Path) -> None:
    rows = [
        ["奖励类别", "首次认定", "复审通过", "备注"],
        ["高新技术企业", "20万元", "", "区级"],
        ["制造业单项冠军", "100万元", "50万元", "市级"],
    ]
    path = _docx(tmp_path, rows, [(1, 1, 1, 2)])
    assert _told(path)[0] == "奖励类别：高新技术企业，首次认定、复审通过：20万元，备注：区级"
    assert read_tables(path)[0][1] == ["高新技术企业", "20万元", "", "区级"]


def test_heads_of_two_rows_are_joined_and_captions_and_notes_stand_alone(tmp_path: Path) -> None:
    rows = [
        ["表1　奖励标准", "", "", ""],
        ["奖励类别", "奖励金额（万元）", "", "兑现部门"],
        ["", "国家级", "省级", ""],
        ["企业技术中心", "100", "50", "工信局"],
        ["注：同一企业就高不重复享受", "", "", ""],
    ]
    path = _docx(tmp_path, rows, [(0, 0, 0, 3), (1, 0, 2, 0), (1, 1, 1, 2), (1, 3, 2, 3), (4, 0, 4, 3)])
    assert _told(path) == [
        "表1　奖励标准",
        "奖励类别：企业技术中心，国家级奖励金额（万元）：100，省级奖励金额（万元）：50，兑现部门：工信局",
        "注：同一企业就高不重复享受",
    ]
    (item,) = decompose(read_document(path)).items
    assert _amounts(item) == [1000000, 500000]


def test_html_spans_are_put_in_place_and_a_page_that_repeats_the_heads_is_no_row(tmp_path: Path) -> None:
    head = "<tr><th>层次</th><th>条件</th><th>补贴标准</th></tr>"
    page = (
        f"<p>{'说明文字。' * 30}</p><table>{head}<tr><td>博士</td><td rowspan='2'>在本区就业</td><td>30万元</td></tr>"
        f"<tr><td>硕士</td><td>10万元</td></tr>{head}<tr><td colspan='3'>另行通知</td></tr></table>"
    )
    (tmp_path / "a.html").write_text(page, encoding="utf-8")
    assert read_document(tmp_path / "a.html").split("\n")[1:] == [
        "层次：博士，条件：在本区就业，补贴标准：30万元",
        "层次：硕士，条件：在本区就业，补贴标准：10万元",
        "另行通知",
    ]


def test_two_columns_are_a_list_under_heads_or_a_form() -> None:
    assert _lines("人才层次|补贴标准（万元）", "博士|30", "硕士|10") == [
        "人才层次：博士，补贴标准（万元）：30",
        "人才层次：硕士，补贴标准（万元）：10",
    ]
    form = _lines("政策名称|人才补贴", "申报条件|在本区就业。", "补贴标准|30万元")
    assert form == ["政策名称", "人才补贴", "申报条件", "在本区就业。", "补贴标准", "30万元"]


def test_a_table_on_its_side_is_read_by_its_levels() -> None:
    assert _lines("级别|国家级|省级", "奖励标准|100万元|50万元", "奖励对象|企业|企业") == [
        "级别：国家级，奖励标准：100万元，奖励对象：企业",
        "级别：省级，奖励标准：50万元，奖励对象：企业",
    ]


def test_a_row_of_sentences_becomes_fields_under_its_name(tmp_path: Path) -> None:
    rows = [
        ["序号", "事项名称", "申报条件", "奖励标准"],
        [
            "1",
            "首台套奖励",
            "在本区登记注册。产品首次列入省首台套目录。",
            "按销售额的10%给予奖励，最高100万元。",
        ],
        ["2", "上云补贴", "与云服务商签订合同。", "按实际费用的30%给予补贴，最高20万元。"],
    ]
    path = _docx(tmp_path, rows)
    assert _told(path)[:5] == [
        "首台套奖励",
        "申报条件：",
        "在本区登记注册。产品首次列入省首台套目录。",
        "奖励标准：",
        "按销售额的10%给予奖励，最高100万元。",
    ]
    first, second = decompose(read_document(path)).items
    assert (_amounts(first), _amounts(second)) == ([(0.1, 1000000)], [(0.3, 200000)])
    assert {c["quote"] for c in first.conditions} >= {"在本区登记注册", "产品首次列入省首台套目录"}


def test_a_span_without_end_does_not_grow_the_table() -> None:
    grid = spanned([[("甲", 9999, 9999), ("乙", 1, 1)], [("丙", 1, 1)]])
    assert len(grid) == 2 and len(grid[0]) <= 202


def test_docx_is_read_with_its_changes_taken_and_its_content_controls(tmp_path: Path) -> None:
    import docx
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    document = docx.Document()
    paragraph = document.add_paragraph("给予")
    for xml in (
        '<w:ins {} w:id="1" w:author="a"><w:r><w:t>20万元</w:t></w:r></w:ins>',
        '<w:del {} w:id="2" w:author="a"><w:r><w:delText>10万元</w:delText></w:r></w:del>',
    ):
        paragraph._p.append(parse_xml(xml.format(nsdecls("w"))))
    control = "<w:sdt {}><w:sdtContent><w:p><w:r><w:t>第二条</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    paragraph._p.addnext(parse_xml(control.format(nsdecls("w"))))
    document.save(str(tmp_path / "a.docx"))
    assert read_document(tmp_path / "a.docx") == "给予20万元\n第二条"
