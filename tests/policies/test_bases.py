"""计算基数: amounts that need a figure the dictionary lacks are reckoned from one proposed in the text's words; the rest say why not."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from policies.check import check_library
from policies.decompose.bases import core_of, reckoned
from policies.decompose.expressions import Proposer
from policies.decompose.pipeline import decompose
from policies.drafts import draft, write_draft
from policies.library import load_library
from profiles.dictionary import builtin_dictionary


@pytest.fixture(scope="module")
def proposer() -> Proposer:
    return Proposer(builtin_dictionary(), {})


def entry(quote: str, **keys: object) -> dict[str, object]:
    return {"quote": quote, "start": 0, **keys}


@pytest.mark.parametrize(
    ("quote", "keys", "form"),
    [
        (
            "按冷链设备购置额的20%给予补助",
            {"rate": 0.2, "base": "冷链设备购置额"},
            {"amount": "冷链设备购置额 * 20%"},
        ),
        ("按不超过冷链设备购置额的20%补助", {"rate": 0.2, "base": "不超过冷链设备购置额"}, {}),
        (
            "给予冷链设备购置额最高30%的补助",
            {"rate": 0.3, "base": "冷链设备购置额"},
            {"upto": "冷链设备购置额 * 30%"},
        ),
        (
            "按冷链设备不含税购置额的20%补助",
            {"rate": 0.2, "base": "冷链设备不含税购置额"},
            {"amount": "冷链设备购置额·不含税 * 20%"},
        ),
        (
            "按上年度标的物租赁总额的5%补助",
            {"rate": 0.05, "base": "上年度标的物租赁总额"},
            {"amount": "标的物租赁总额[Y] * 5%"},
        ),
        ("按投资额的10%补助", {"rate": 0.1, "base": "投资额"}, {"amount": "冷链项目补助·投资额 * 10%"}),
        (
            "按冷链设备购置额的10%—20%补助",
            {"kind": "range", "min": 0.1, "max": 0.2, "base": "冷链设备购置额"},
            {"range": {"low": "冷链设备购置额 * 10%", "high": "冷链设备购置额 * 20%"}},
        ),
        ("给予2个百分点的贷款贴息", {"rate": 0.02}, {"amount": "冷链项目补助·贷款日均余额[Y] * 2%"}),
        (
            "按贷款实际利率的50%贴息",
            {"rate": 0.5, "base": "贷款实际利率"},
            {"amount": "冷链项目补助·实付利息[Y] * 50%"},
        ),
        ("按LPR的50%给予贴息", {"rate": 0.5, "base": "LPR"}, {}),
        ("场地租金全额补贴", {"rate": 1}, {}),  # of which year?
        ("意外保险费全额补贴", {"rate": 1}, {"amount": "意外保险费"}),
        ("减半征收城镇土地使用税", {"rate": 0.5}, {"amount": "应缴城镇土地使用税[Y] * 50%"}),
        ("免征房产税", {"kind": "waiver"}, {"amount": "应缴房产税[Y]"}),
        ("免征房产税、城镇土地使用税", {"kind": "waiver"}, {}),
        ("减按15%的税率征收企业所得税", {"rate": 0.15}, {"amount": "应纳税所得额[Y] * 10%"}),
        ("按照研发支出的100%加计扣除", {"rate": 1, "base": "研发支出"}, {}),
        ("拨付资助总额的50%", {"rate": 0.5, "base": "资助总额"}, {}),
        (
            "给予省级资助资金50%的配套",
            {"rate": 0.5, "base": "省级资助资金"},
            {"amount": "冷链项目补助·获上级资助资金 * 50%"},
        ),
        (
            "每台补助2万元",
            {"kind": "per_unit", "amount": 20000, "per": "台"},
            {"amount": "冷链项目补助·台数 * 2万元"},
        ),
        (
            "每人每月800元",
            {"kind": "per_unit", "amount": 800, "per": "人每月"},
            {"amount": "冷链项目补助·人月数 * 800元"},
        ),
        ("每户人家800元", {"kind": "per_unit", "amount": 800, "per": "回"}, {}),
    ],
)
def test_amounts_are_reckoned_from_what_the_words_name(
    proposer: Proposer, quote: str, keys: dict[str, object], form: dict[str, object]
) -> None:
    keys.setdefault("kind", "rate")
    found = reckoned(entry(quote, **keys), quote, "冷链项目补助", proposer)
    assert (found.form if found else {}) == form


def test_a_row_that_is_one_person_gets_the_sum_itself(proposer: Proposer) -> None:
    one = entry("每人一次性1000元", kind="per_unit", amount=1000, per="人")
    found = reckoned(one, "", "就业补贴", proposer, each=True)
    assert found is not None
    assert (found.form, found.new) == ({"amount": "1000元"}, {})


def test_a_title_that_is_no_name_tells_nothing_apart() -> None:
    assert core_of("贷款贴息（2）") == "贷款贴息"
    assert core_of("专利申请日在2016年2月23日之前的资助") == ""


TEXT = """\
示例区支持冷链发展若干措施
第一条 对首次认定为省级冷链示范基地的企业，按照冷链设备购置额的10%给予补助；其中属于高新技术企业的，再提高2个百分点。
第二条 对新建冷库的企业，一事一议给予支持。
第三条 本措施自2026年1月1日起施行。
"""


def test_points_on_top_and_reasons_stand_in_the_drafts(tmp_path: Path) -> None:
    made = draft(decompose(TEXT), "demo", "demo.txt", builtin_dictionary(), {}, dt.date(2026, 3, 1))
    write_draft(made, tmp_path)
    loaded = load_library(tmp_path, builtin_dictionary())
    assert [p.render() for p in check_library(loaded).problems if p.level == "error"] == []
    read = YAML(typ="safe")
    benefits = [
        read.load(text)["benefit"]
        for name, text in made.files.items()
        if "/items/" in name and not name.endswith(".test.yaml")
    ]
    first = next(b for b in benefits if "amount" in b)
    assert first["amount"] == "冷链设备购置额 * 10%"
    added = first["adds"][0]
    assert (added["when"], added["amount"]) == ("高新技术企业有效期至 >= 申报开始", "冷链设备购置额 * 2%")
    conditions = read.load(made.files["demo/items/item-01.yaml"])["conditions"]["all"]
    assert [c["quote"] for c in conditions] == [
        "首次认定为省级冷链示范基地的企业"
    ]  # the addition's own doesn't shut out
    words = [b for b in benefits if "words" in b]
    assert all(b["note"].startswith("数额没有写成算式：") for b in words)
