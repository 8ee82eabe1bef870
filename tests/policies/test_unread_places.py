"""没读过的地方: what texts of places never read before showed of where one item ends and another begins; every sentence is invented."""

from __future__ import annotations

import pytest

from policies.decompose.again import once
from policies.decompose.benefits import benefits_of
from policies.decompose.binding import owners_of
from policies.decompose.joins import joined, other_grade
from policies.decompose.model import Item
from policies.decompose.pieces import Piece, Reading
from policies.decompose.pipeline import decompose, first_items, read_pieces, stored_models
from policies.decompose.roles import chosen_roles, role_scores
from policies.decompose.sift import idle, kept_benefits, with_triggers
from policies.segment import segment


def _reading(text: str) -> Reading:
    clauses = segment(text)
    return read_pieces(text, clauses, role_scores(clauses, stored_models()["roles"]), stored_models())


def _joined(first: str, second: str, text: str) -> bool:
    """Whether the pieces that begin with two phrases of a text are one item whatever the model thinks."""
    reading = _reading(text)
    found = []
    for said in (first, second):
        k = next(n for n, v in enumerate(reading.views) if said in v.flat)
        a = reading.views[k].flat.index(said)
        found.append(Piece("benefit", k, a, a + len(said), 0.9))
    return joined(reading, found[0], found[1])


def _gives(text: str) -> list[str]:
    return ["；".join(str(b["quote"]) for b in i.benefits) for i in decompose(text).items]


@pytest.mark.parametrize(
    ("one", "two", "steps"),
    [
        ("对省级示范农场", "对国家级示范农场", True),
        ("对国家级、省级示范农场", "对国家级、省级示范牧场", False),
        ("达到三星、四星标准的客栈", "达到三星、四星标准的农家院", False),
        ("对省级示范农场", "对年产值过亿的牧场", False),
    ],
)
def test_two_things_graded_alike_are_no_steps(one: str, two: str, steps: bool) -> None:
    assert other_grade(one, two) is steps


def test_things_that_each_have_all_grades_are_items_of_their_own() -> None:
    text = (
        "示例市乡村旅游奖励办法\n"
        "1.对新评定为国家级、省级生态牧场的，分别奖励16万元、7万元；新评定为国家级、省级采摘园的，分别奖励11万元、6万元。\n"
        "2.对新创办的乡村书屋，一次性补助2万元。\n"
    )
    assert len(_gives(text)) == 3


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("组织游客，在本县停留2天的，每人奖励6元；在本县停留3天，并参观两处展馆的，每人奖励13元。\n", True),
        (
            "组织游客，在本县停留2天的，每人奖励6元；在本县包租客车6辆，并参观两处展馆的，每人奖励13元。\n",
            False,
        ),
    ],
)
def test_the_same_asked_with_another_figure_is_a_step(text: str, one: bool) -> None:
    assert _joined("每人奖励6元", "每人奖励13元", "第三条 组团奖励\n" + text) is one


def test_the_others_get_another_amount_of_the_same() -> None:
    text = "第四条 挂牌奖励\n对从事丝织业的挂牌企业，一次性奖励66万元；其他行业企业，一次性奖励44万元。\n"
    assert _joined("一次性奖励66万元", "一次性奖励44万元", text)


def test_years_told_behind_a_plain_giving_are_its_amounts() -> None:
    text = "第五条 仓储补助\n对租用冷库的菜农，给予适当的租金补助。第1年按租金的35%补助，第2年按租金的15%补助。\n"
    assert _joined("给予适当的租金补助", "按租金的35%补助", text)


def _kept(text: str, *said: str) -> list[str]:
    """Which of some phrases of a text are kept as what it gives, where every clause might give."""
    reading = _reading(text)
    found = []
    for words in said:
        k = next(n for n, v in enumerate(reading.views) if words in v.flat)
        a = reading.views[k].flat.index(words)
        found.append(Piece("benefit", k, a, a + len(words), 0.9))
    roles = [["preamble", "benefit"] for _ in reading.clauses]
    return [reading.views[p.clause].flat[p.a : p.b] for p in kept_benefits(reading, found, roles)]


@pytest.mark.parametrize(
    ("part", "kept"),
    [
        ("一、补助标准\n对购置冷藏车的物流企业，补助90万元。\n", ["补助90万元"]),
        ("对购置冷藏车的物流企业，补助90万元。\n", ["给予资金补助", "补助90万元"]),
    ],
)
def test_what_an_opening_promises_its_parts_give(part: str, kept: list[str]) -> None:
    text = "关于申报冷链设备补助的通知\n本县设立冷链专项，对符合要求的项目给予资金补助。\n" + part
    assert _kept(text, "给予资金补助", "补助90万元") == kept


@pytest.mark.parametrize(
    ("below", "kept"), [("最高27万元", ["最高27万元"]), ("最高19万元", ["最高补助27万元", "最高19万元"])]
)
def test_a_headline_gives_nothing_besides_its_text(below: str, kept: list[str]) -> None:
    text = f"示例县促进餐饮业发展办法\n开办夜市最高补助27万元\n对新开办夜市的经营单位，给予补助，{below}。\n"
    assert _kept(text, "最高补助27万元", below) == kept


def test_what_counts_as_something_gives_nothing() -> None:
    text = "补贴办法\n享受就业补贴的职工以社会保险登记为准。\n合作社与小微企业同等享受扶持政策（下同）。\n"
    reading = _reading(text)
    for k in (1, 2):
        assert idle(reading, Piece("benefit", k, 0, len(reading.views[k].flat) - 1, 0.9))


@pytest.mark.parametrize("why", ["为鼓励乡村阅读", "依据《示例市图书馆管理办法》", "根据书屋位置的不同"])
def test_what_for_and_on_what_ground_is_no_trigger(why: str) -> None:
    reading = _reading(f"阅读奖励办法\n{why}，一次性奖励书屋3万元。\n")
    flat = reading.views[1].flat
    given = Piece("benefit", 1, flat.index("一次性"), len(flat) - 1, 0.9)
    assert [p for p in with_triggers(reading, [given]) if p.label == "condition"] == []


GUIDE = (
    "稳岗补贴办事指南\n（一）申请条件\n"
    "1.养老机构招用退伍护理员满半年；\n2.物流园招用残疾司机，签订两年合同；\n3.家政公司培训下岗女工满40课时。\n"
    "{more}（二）补贴标准\n"
    "1.养老机构招用退伍护理员的，每人补贴1300元；\n2.物流园招用残疾司机的，每人补贴2600元；\n3.家政公司培训下岗女工的，每人补贴700元。\n"
)


def _binds(text: str, said: str) -> list[int]:
    reading = _reading(text)
    roles = chosen_roles(reading.roles, stored_models()["roles"])
    _, items = first_items(reading, roles, stored_models())
    assert len(items) == 3
    k = next(n for n, v in enumerate(reading.views) if said in v.flat)
    return owners_of(reading, Piece("condition", k, 2, len(reading.views[k].flat) - 1, 0.9), items)


@pytest.mark.parametrize(("said", "owner"), [("满半年", 0), ("两年合同", 1), ("满40课时", 2)])
def test_a_point_of_conditions_binds_the_point_of_its_number(said: str, owner: int) -> None:
    assert _binds(GUIDE.format(more=""), said) == [owner]


def test_lists_of_different_lengths_are_not_paired() -> None:
    more = "4.申请人须在本县缴纳社会保险。\n"
    assert _binds(GUIDE.format(more=more), "满半年") == []


def test_a_rule_that_speaks_of_others_in_brackets_still_gives() -> None:
    text = (
        "用工补贴办法\n1.对招用失业青年的企业，按每人1500元给予补贴（国家或省市另有规定的从其规定）。\n"
        "2.对招用退役军人的企业，按每人2500元给予补贴。\n"
    )
    assert len(_gives(text)) == 2


@pytest.mark.parametrize(("again", "items"), [("9万元", ["9万元"]), ("4万元", ["9万元", "4万元"])])
def test_what_a_field_of_conditions_tells_again_is_one_item(again: str, items: list[str]) -> None:
    text = (
        "某县惠企政策汇编\n一、满产奖励\n奖励标准：\n对开足机器的织布厂，给予9万元的奖励。\n"
        f"申报条件：\n织布厂用水量高于去年，达到此标准的织布厂可以获得{again}奖励。\n"
        "二、引才补助\n对新招工匠的织布厂，补助2万元。\n"
    )
    reading = _reading(text)
    found = []
    for said in ("给予9万元的奖励", f"获得{again}奖励"):
        k = next(n for n, v in enumerate(reading.views) if said in v.flat)
        a = reading.views[k].flat.index(said)
        pieces = [Piece("benefit", k, a, a + len(said), 0.9)]
        found.append(Item([k], pieces, benefits_of(reading, pieces)))
    kept = once(reading, found)
    assert [next(x for x in ("9万元", "4万元") if x in str(i.benefits[0]["quote"])) for i in kept] == items
    assert sum(len(i.clauses) for i in kept) == 2


def test_a_line_over_points_with_amounts_gives_nothing_itself() -> None:
    text = "某县节水奖励办法\n一、奖励标准\n按月对达标的洗车行予以补助。\n（1）循环用水的，补助3万元；\n"
    assert _kept(text, "予以补助", "补助3万元") == ["补助3万元"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("骑行奖，对组织骑行的车队，每队奖励7万元。", "骑行奖"),
        ("支持打造书香社区，对获评示范书屋的社区，奖励6万元。", "获评示范书屋的社区奖励"),
        ("对2021年、2022年新开办的茶馆，补助3万元。", "新开办的茶馆补助"),
        ("对2023年度茶叶销量高于前一年的茶馆，补助8万元。", "茶叶销量高于前一年的茶馆补助"),
        ("经区文旅、民政部门认定为示范茶馆的，补助5万元。", "认定为示范茶馆补助"),
    ],
)
def test_a_name_tells_what_somebody_did(text: str, title: str) -> None:
    text = f"示例市文化奖励办法\n第二条 {text}\n第三条 对新办画室的居民，补助1万元。\n"
    assert decompose(text).items[0].title == title


@pytest.mark.parametrize(
    ("second", "one"),
    [
        ("其中织布厂先给予20万元，余下的次年补齐。", True),
        ("一年累计接待满10批的，另行奖励5万元。", True),
        ("对新开的书屋，另行奖励5万元。", False),
    ],
)
def test_of_which_and_on_top_go_on_with_what_was_given(second: str, one: bool) -> None:
    given = "先给予20万元" if "20万" in second else "另行奖励5万元"
    text = f"第六条 组织奖励\n每接待一批学员的工厂，奖励66万元。{second}\n"
    assert _joined("奖励66万元", given, text) is one


@pytest.mark.parametrize(("step", "one"), [("30张以上不足90张", True), ("另有停车位30个", False)])
def test_steps_told_in_one_sentence_are_one_item(step: str, one: bool) -> None:
    text = f"第七条 床位补贴\n新建床位90张以上的，每张补贴600元，{step}的，每张补贴300元。\n"
    assert _joined("每张补贴600元", "每张补贴300元", text) is one
