"""表格行: rows of tables in .html, .docx and Markdown as items: what is given and what is asked, by the heads of their columns."""

from __future__ import annotations

from pathlib import Path

from policies.decompose.model import Item
from policies.decompose.pipeline import decompose
from policies.read import read_document

PAGE = """<html><body><h1>示例区创新奖励办法</h1><p>第一条　奖励标准</p>
<table><tr><th>奖励类别</th><th>奖励条件</th><th>奖励金额</th></tr>
<tr><td>研发平台</td><td>新获批省重点实验室</td><td>50万元</td></tr>
<tr><td>技术交易</td><td>年度技术合同登记额达到1000万元</td><td>按成交额的1%奖励，最高50万元</td></tr></table>
<p>第二条　本办法自2026年2月1日起施行。</p></body></html>
"""
GUIDE = """# 示例区人才申报指南

## 一、安家补贴

| 项目 | 内容 |
| --- | --- |
| 申报条件 | 1.与用人单位签订3年以上劳动合同；2.在本区缴纳社会保险满6个月 |
| 补贴标准 | 博士研究生30万元，硕士研究生10万元，本科毕业生3万元 |
| 申报材料 | 申请表、劳动合同、社保缴纳证明 |
| 受理时间 | 2026年5月1日至5月31日 |

## 二、租房补贴

| 层次 | 标准（元/月） | 期限 |
| --- | --- | --- |
| 博士 | 2000 | 3年 |
| 硕士 | 1200 | 3年 |
"""


def _read(tmp_path: Path, name: str, text: str) -> list[Item]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return decompose(read_document(tmp_path / name)).items


def _quotes(item: Item) -> tuple[list[str], list[str]]:
    return [b["quote"] for b in item.benefits], [c["quote"] for c in item.conditions]


def test_each_row_is_an_item_with_its_own_condition_and_amount(tmp_path: Path) -> None:
    first, second = _read(tmp_path, "a.html", PAGE)
    assert _quotes(first) == (["50万元"], ["新获批省重点实验室"])
    assert first.benefits[0]["amount"] == 500000
    assert _quotes(second) == (["按成交额的1%奖励，最高50万元"], ["年度技术合同登记额达到1000万元"])
    assert (second.benefits[0]["rate"], second.benefits[0]["cap"]) == (0.01, 500000)
    assert second.conditions[0]["value"] == 10000000


def test_levels_of_one_table_are_one_item_and_take_the_unit_of_the_head(tmp_path: Path) -> None:
    settling, rent = _read(tmp_path, "a.md", GUIDE)
    assert [b["amount"] for b in settling.benefits] == [300000, 100000, 30000]
    assert settling.window["to"] == "2026-05-31" and settling.materials
    assert [(b["amount"], b["per"]) for b in rent.benefits] == [(2000, "月"), (1200, "月")]
    assert rent.title == "租房补贴" and not rent.window  # the window stands in the other section


def test_a_line_with_colons_is_no_row() -> None:
    items = decompose("示例区公告\n联系人：王某，联系电话：00000000，受理地点：一号楼\n").items
    assert items == []


def test_a_list_of_kinds_with_their_amounts_in_one_paragraph_is_one_item() -> None:
    text = """\
示例市演出资助办法
第一条 资助额度不超过以下标准：话剧项目200万元；舞剧项目300万元；儿童剧项目100万元。
第二条 对新建剧场给予50万元补助。
"""
    first, second = decompose(text).items
    assert {b.get("amount") or b.get("cap") for b in first.benefits} >= {2000000, 3000000, 1000000}
    assert [b["amount"] for b in second.benefits] == [500000]
