"""核对的说法: what a wrong rule says, where, and how to mend it (rule language, section 9)."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from engine.errors import Problem
from engine.yamlwords import SAID, say
from jobs.cli import rules
from policies.check import check_library
from policies.library import LibraryError, load_library
from profiles.dictionary import builtin_dictionary

app = typer.Typer()
rules.register(app)

DOCUMENT = "title: 试行办法\nissued: 2025-01-01\neffective: 2025-01-01\nexpires: 2027-12-31\n"
TEXT = "# 试行办法\n\n## 第一条 条件\n上一年度研发费用在500万元以上。\n\n## 第二条 标准\n给予10万元奖励。\n"
ITEM = textwrap.dedent("""\
    item: d/a
    title: 试行奖励
    batches:
      2026: {year: 2025, opens: 2026-01-01, closes: 2026-12-31}
    conditions:
      all:
        - id: rd
          cite: 第一条
          quote: 上一年度研发费用在500万元以上
          when: 研发费用[Y] >= 500万元
    benefit: {cite: 第二条, quote: 给予10万元奖励, amount: 10万元}
    """)
CASES = textwrap.dedent("""\
    item: d/a
    batch: 2026
    given: {研发费用: {2025: 500万元}}
    cases:
      - {name: 刚好, expect: {verdict: 符合, amount: 10万元}}
      - {name: 差一点, with: {研发费用: {2025: 499万元}}, expect: {verdict: 不符合, fails: [rd]}}
      - {name: 缺, with: {研发费用: {2025: ~}}, expect: {verdict: 待核实, unknown: [rd], amount: 10万元}}
    """)


def library(
    tmp_path: Path, item: str = ITEM, cases: str = CASES, document: str = DOCUMENT, text: str = TEXT
) -> Path:
    folder = tmp_path / "lib" / "d"
    (folder / "items").mkdir(parents=True)
    (folder / "document.yaml").write_text(document, encoding="utf-8")
    (folder / "text.md").write_text(text, encoding="utf-8")
    (folder / "items" / "a.yaml").write_text(item, encoding="utf-8")
    (folder / "items" / "a.test.yaml").write_text(cases, encoding="utf-8")
    return tmp_path / "lib"


def problems(root: Path) -> list[Problem]:
    return check_library(load_library(root, builtin_dictionary()), {"C35", "K70"}).problems


def test_a_sound_library_has_no_problem(tmp_path: Path) -> None:
    assert problems(library(tmp_path)) == []


def test_an_unknown_indicator_reads_like_a_compilers_error(tmp_path: Path) -> None:
    found = problems(library(tmp_path, ITEM.replace("when: 研发费用[Y]", "when: 研发经费用[Y]")))
    assert [p.code for p in found] == [1]
    assert found[0].render("policies/library/") == (
        "policies/library/d/items/a.yaml:10  conditions › rd › when\n"
        "  研发经费用[Y] >= 500万元\n"
        "  ^^^^^^^^^^\n"
        "  没有“研发经费用”这个指标。您是不是想写“研发费用”？"
    )
    assert (found[0].place.line, found[0].place.column) == (10, 13)


STEPS = "bands: {by: '研发费用[Y]', kind: 全额, steps: [{below: 1亿元, amount: 10万元}, {amount: 20万元}]}"
MISSPELT = {  # where a key may stand, and the rule with one that nobody reads
    "条件": ("cite: 第一条\n", "cite: 第一条\n      qoute: 一句\n"),
    "range": ("amount: 10万元}", "range: {low: 1万元, high: 10万元, hgih: 20万元}}"),
    "bands": ("amount: 10万元}", STEPS.replace("kind:", "kidn: 分段, kind:") + "}"),
    "档": ("amount: 10万元}", STEPS.replace("{amount: 20", "{rat: 1%, amount: 20") + "}"),
    "adds": (
        "amount: 10万元}",
        'amount: 10万元, adds: [{when: "研发费用[Y] >= 1亿元", amonut: 1元, amount: 2万元}]}',
    ),
    "benefit": ("amount: 10万元}", "amount: 10万元, cpa: 5万元}"),
    "批次": ("closes: 2026-12-31", "closes: 2026-12-31, budegt: 500万元"),
    "exclusive": ("benefit:", "exclusive: {group: 甲, pick: 就高, pikc: 补差}\nbenefit:"),
    "规则文件": ("title: 试行奖励", "title: 试行奖励\ndedline: 20个工作日"),
    "budget": ("benefit:", "budget: {when_short: 按比例核减, quoet: 一句}\nbenefit:"),
}


def test_a_window_that_ends_before_it_begins_is_an_error_of_its_own_number(tmp_path: Path) -> None:
    found = problems(
        library(tmp_path, ITEM.replace("opens: 2026-01-01", "opens: 2026-12-01").replace("12-31", "11-30"))
    )
    assert any(p.code == 6 and "截止日早于开始日" in p.message for p in found), found


@pytest.mark.parametrize("where", MISSPELT)
def test_a_key_that_nobody_reads_is_an_error_wherever_it_stands(tmp_path: Path, where: str) -> None:
    """A misspelt cap or rate that is passed over pays other money than the policy says."""
    old, new = MISSPELT[where]
    assert old in ITEM
    told = [p.message for p in problems(library(tmp_path, ITEM.replace(old, new))) if p.level == "error"]
    assert any(m.startswith(f"{where}里没有“") and "您是不是想写“" in m for m in told), told


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("title: 试行奖励", "titel: 试行奖励", 1, "您是不是想写“title”"),
        ("研发费用[Y] >= 500万元", "研发费用 >= 500万元", 2, "请写明年度"),
        ("研发费用[Y] >= 500万元", "营收[Y] >= 500万元", 1, "这是别名，规则和数据里都写正式名“营业收入”"),
        ("研发费用[Y] >= 500万元", "研发费用[Y] >= 500", 2, "500万元"),
        ("研发费用[Y] >= 500万元", "研发费用[Y+1] >= 500万元", 2, "往前推的 Y-1"),
        ("研发费用[Y] >= 500万元", f"研发费用[Y-{'1' * 5000}] >= 500万元", 2, "没有这样的年份"),
        ("研发费用[Y] >= 500万元", "研发费用[Y] >= 500万圆", 1, "您是不是想写“万元”"),
        ("研发费用[Y] >= 500万元", "成立日期[Y] >= 2020-01-01", 2, "去掉方括号"),
        ("研发费用[Y] >= 500万元", "申报开始 - 成立日期 >= 1年", 2, "日期 <= 申报开始 - 1年"),
        ("研发费用[Y] >= 500万元", "研发费用[Y] >= 500万元 and 营业收入[Y] > 0元", 2, "all / any"),
        ("研发费用[Y] >= 500万元", "登记地区划 in 本区区", 1, "没有“本区区”这个集合"),
        ("quote: 上一年度研发费用在500万元以上", "quote: 上年度研发费用在500万元以上", 3, "逐字复制"),
        ("cite: 第一条", "cite: 第三条", 3, "没有“第三条”这个标题"),
        ("item: d/a", "item: d/b", 4, "应当是“d/a”"),
        ("title: 试行奖励", "title: 试行奖励\ndelivery: 免申即享\nmaterials: [申请表]", 5, "申请表"),
        ("year: 2025, opens: 2026-01-01, closes: 2026-12-31", "year: 2029, opens: 2030-01-01, closes: 2030-02-01", 6, "有效期"),
        ("amount: 10万元}", "bands: {by: '研发费用[Y]', steps: [{upto: 5万元, amount: 1万元}, {upto: 4万元, amount: 2万元}]}}", 7, "由小到大"),
        ("      when: 研发费用[Y] >= 500万元", "      all: [{when: '研发费用[Y] >= 500万元'}, {when: '研发费用[Y] < 400万元'}]", 8, "矛盾"),
        ("      when: 研发费用[Y] >= 500万元", "      all: [{when: '研发费用[Y] >= 500万元'}, {when: '行业代码 in [\"Z99*\"]'}]", 8, "GB/T 4754"),
        ("研发费用[Y] >= 500万元", "研发费用[Y] > 500万元", 11, "应当用 >="),
    ],
)  # fmt: skip
def test_every_refusal_says_what_and_how_to_mend_it(
    tmp_path: Path, old: str, new: str, code: int, says: str
) -> None:
    assert old in ITEM
    found = problems(library(tmp_path, ITEM.replace(old, new)))
    told = [p for p in found if p.code == code]
    assert told, [p.render() for p in found]
    assert any(says in p.message for p in told), [p.message for p in told]
    assert all(p.place.file.startswith("d/") and p.place.line >= 1 for p in told)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("item: d/a\n\ttitle: x\n", "Tab"),
        ("item: d/a\nitem: d/a\n", "重复"),
        ("item: [d/a\n", "不是合法的 YAML"),
        ("item: &x d/a\ntitle: *x\n", "锚点"),
        ("item: !!python/object:os.system d/a\n", "标签"),
        ("", "空的"),
    ],
)
def test_files_that_cannot_be_read_are_told_and_the_rest_goes_on(
    tmp_path: Path, text: str, says: str
) -> None:
    root = library(tmp_path)
    (root / "d" / "items" / "b.yaml").write_text(text, encoding="utf-8")
    found = problems(root)
    assert any(p.code == 0 and says in p.message for p in found), [p.message for p in found]
    assert load_library(root, builtin_dictionary()).programs


def test_a_gbk_file_is_named_as_such(tmp_path: Path) -> None:
    root = library(tmp_path)
    (root / "d" / "items" / "b.yaml").write_bytes("item: 甲\n".encode("gb18030"))
    assert any("GBK" in p.message for p in problems(root) if p.code == 0)


def test_a_case_that_differs_says_what_was_expected(tmp_path: Path) -> None:
    found = problems(library(tmp_path, cases=CASES.replace("符合, amount: 10万元", "符合, amount: 9万元")))
    assert [p.code for p in found] == [12]
    assert "应为 90,000.00元，算得 100,000.00元" in found[0].message


def test_a_leaf_without_its_own_case_is_missing_one(tmp_path: Path) -> None:
    cases = "\n".join(line for line in CASES.splitlines() if "差一点" not in line)
    assert [p.code for p in problems(library(tmp_path, cases=cases))] == [9]


def test_twins_are_told(tmp_path: Path) -> None:
    root = library(tmp_path)
    for name in ("a.yaml", "a.test.yaml"):
        body = (root / "d" / "items" / name).read_text(encoding="utf-8").replace("d/a", "d/b")
        (root / "d" / "items" / name.replace("a.", "b.", 1)).write_text(body, encoding="utf-8")
    assert [p.code for p in problems(root)] == [10]


def test_a_folder_that_is_no_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"document\.yaml"):
        load_library(tmp_path, builtin_dictionary())


@pytest.mark.parametrize(
    ("old", "new", "line", "caret", "says"),
    [
        ("item: d/a", "item：d/a", 1, "：", "全角冒号"),
        ("title: 试行奖励", "title：试行奖励", 2, "：", "title: …"),
        ("opens: 2026-01-01, closes:", "opens：2026-01-01， closes:", 4, "：", "半角冒号"),
        ("opens: 2026-01-01, closes:", "opens: 2026-01-01， closes:", 4, "，", "半角逗号"),
        ("title: 试行奖励", "title:试行奖励", 2, ":", "空一格"),
        ("      cite: 第一条", "     cite: 第一条", 8, "", "左对齐"),
        ("    - id: rd", "   - id: rd\n    - id: other", 8, "", "左对齐"),
        ("title: 试行奖励", "title: '试行奖励", 2, "'", "引号没有配对"),
    ],
)
def test_a_slip_of_punctuation_or_indent_is_told_where_it_stands(
    tmp_path: Path, old: str, new: str, line: int, caret: str, says: str
) -> None:
    found = problems(library(tmp_path, ITEM.replace(old, new)))
    fault = next(p for p in found if p.code == 0)
    assert fault.place.line == line and says in fault.message and fault.span is not None
    assert fault.source[fault.span[0] : fault.span[1]].startswith(caret)
    assert not any(word in fault.message for word in ("expected", "found", "allowed"))


@pytest.mark.parametrize("said", [*(part for part, _ in SAID), "something the parser never said before"])
def test_whatever_the_parser_says_is_told_in_chinese(said: str) -> None:
    assert not any("a" <= ch.lower() <= "z" for ch in say(said).replace("YAML", "").replace("Tab", ""))


def test_a_wrong_quote_shows_what_the_text_says_and_where(tmp_path: Path) -> None:
    (fault,) = problems(
        library(tmp_path, ITEM.replace("quote: 上一年度研发费用在500", "quote: 上一年度研发经费在500"))
    )
    assert fault.message.startswith(
        "原文里没有这句话，最接近的在 text.md 第 4 行：“上一年度研发费用在500万元以上"
    )
    assert "这里写“经”，原文是“用”" in fault.message or "原文是“费用”" in fault.message
    assert fault.span is not None and "经" in fault.source[slice(*fault.span)]


def test_quote_marks_around_a_quote_and_a_strange_quote_are_told_apart(tmp_path: Path) -> None:
    inside = "上一年度研发费用在500万元以上"
    (fault,) = problems(library(tmp_path / "a", ITEM.replace(f"quote: {inside}", f"quote: “{inside}”")))
    assert "请去掉" in fault.message
    (fault,) = problems(
        library(tmp_path / "b", ITEM.replace(f"quote: {inside}", "quote: 船舶吨位达到规定标准"))
    )
    assert fault.message == "原文里没有这句话；请从 text.md 逐字复制"


def test_an_unknown_set_says_how_to_make_one(tmp_path: Path) -> None:
    (fault,) = problems(library(tmp_path, ITEM.replace("研发费用[Y] >= 500万元", "登记地区划 in 示范片")))
    assert "sets/示范片.yaml" in fault.message and "--set 示范片=" in fault.message


def test_a_document_without_title_is_an_error(tmp_path: Path) -> None:
    (fault,) = problems(library(tmp_path, document=DOCUMENT.replace("title: 试行办法\n", "")))
    assert (fault.code, fault.level, fault.place.file) == (
        1,
        "error",
        "d/document.yaml",
    ) and "title" in fault.message


def test_the_cause_is_told_before_what_follows_from_it(tmp_path: Path) -> None:
    """A wrong indicator in the second file makes the cases of the first wrong, and the cause still comes first."""
    wrong = ITEM.replace("quote: 给予10万元奖励", "quote: 给予100万元奖励").replace(
        "amount: 10万元", "amount: 20万元"
    )
    root = library(tmp_path, wrong)
    other = (root / "d" / "items" / "b.yaml", ITEM.replace("d/a", "d/b").replace("研发费用[Y]", "营收[Y]"))
    other[0].write_text(other[1], encoding="utf-8")
    report = check_library(load_library(root, builtin_dictionary()))
    assert [p.code for p in report.causes][:2] == [1, 3] and {p.code for p in report.consequences} == {12}
    assert len(report.causes) + len(report.consequences) + len(report.warnings) == len(report.problems)
    done = CliRunner().invoke(app, ["check", str(root)])
    place = [done.stdout.index(words) for words in ("这是别名", "多半由上面的规则错引起", "应为 100,000")]
    assert done.exit_code == 1 and place == sorted(place)


@pytest.mark.parametrize(
    ("words", "rule", "says"),
    [
        ("低于500万元（含500万元）", "<=", ""),
        ("低于500万元（含本数）", "<", "应当用 <="),
        ("500万元以上（不含）", ">", ""),
        ("500万元以上(不含500万元)", ">=", "应当用 >"),
        ("500万元以上（不含税）", ">=", ""),
        ("500万元以上（见附件3）", ">=", ""),
        ("500万元以上（共3项）", ">=", "原文里的数“3”"),
    ],
)
def test_what_stands_in_brackets_behind_a_number_says_whether_it_counts(
    tmp_path: Path, words: str, rule: str, says: str
) -> None:
    text = ITEM.replace("研发费用在500万元以上", f"研发费用在{words}").replace(
        "研发费用[Y] >=", f"研发费用[Y] {rule}"
    )
    root = library(tmp_path, text, text=TEXT.replace("研发费用在500万元以上", f"研发费用在{words}"))
    found = problems(root)
    assert not [p for p in found if p.code == 3]
    told = [p.message for p in found if p.code == 11]
    assert len(told) == (1 if says else 0) and all(says in one for one in told)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("=>", ">="), ("==", "="), ("<>", "!="), ("大于", ">"), ("不低于", ">="), ("等于", "=")],
)
def test_a_comparison_that_does_not_exist_is_told_with_the_one_that_does(
    tmp_path: Path, written: str, meant: str
) -> None:
    (fault,) = problems(library(tmp_path, ITEM.replace(">=", written)))
    assert f"没有“{written}”这个比较，请写成“{meant}”" in fault.message


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("2026-12-31", "2026-06-31", "2026年6月没有31日"),
        ("2026-12-31", "2026-13-01", "没有13月"),
        ("2026-12-31", "年底", "不是日期"),
        ("cite: 第一条\n", "label: 研发\n", "这一条缺 cite（条款）"),
        ("amount: 10万元", "amount: 10万元, cap: 5", "金额请写明单位"),
        ("研发费用[Y] >= 500万元", "(研发费用[Y] >= 500万元", "“(”没有配上“)”"),
        ("研发费用[Y] >= 500万元", "[研发费用[Y] >= 500万元]", "不要加方括号"),
        ("在500万元以上", "在五百万元以上", "这里写“五百”，原文是“500”"),
    ],
)
def test_one_slip_is_told_once_with_its_cure(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    (fault,) = problems(library(tmp_path, ITEM.replace(right, wrong, 1)))
    assert says in fault.message


ALLOCATION = textwrap.dedent("""\
    as_of: 2026-06-01
    enterprises: {甲: {given: {研发费用: {2025: 600万元}}}}
    cases: [{name: 甲一项, expect: {甲: {d/a: 10万元, d/b: 10万元}}}]
    """)


def test_a_refused_item_does_not_make_errors_of_the_allocation_cases(tmp_path: Path) -> None:
    """What one item pays hangs on the others of its document: one slip is one error, not one and what follows."""
    root = library(tmp_path)
    (root / "d" / "allocation.test.yaml").write_text(ALLOCATION, encoding="utf-8")
    assert any(
        "d/b" in p.message for p in problems(root)
    )  # a case is read, and an item that isn't there is told
    (root / "d" / "items" / "b.yaml").write_text(ITEM.replace("      cite", "     cite"), encoding="utf-8")
    (fault,) = problems(root)
    assert fault.place.file == "d/items/b.yaml" and fault.code == 0


def test_an_id_used_twice_names_the_other_file(tmp_path: Path) -> None:
    root = library(tmp_path)
    (root / "d" / "items" / "b.yaml").write_text(ITEM, encoding="utf-8")
    told = [p.message for p in problems(root) if "不止一个文件用到" in p.message]
    assert len(told) == 2 and "d/items/b.yaml" in told[0] and "d/items/a.yaml" in told[1]


def test_a_folder_in_place_of_a_rule_is_told_in_chinese(tmp_path: Path) -> None:
    root = library(tmp_path)
    (root / "d" / "items" / "b.yaml").mkdir()
    (fault,) = problems(root)
    assert "这是文件夹" in fault.message and fault.place.file == "d/items/b.yaml"
