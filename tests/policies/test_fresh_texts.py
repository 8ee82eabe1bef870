"""新读文件: what texts of further cities, read in November 2026, showed to be read badly; every sentence here is invented."""

from __future__ import annotations

import pytest

from policies.decompose.numbers import KEYS
from policies.decompose.phrases import ASKS_NOTHING, MEASURED_BY
from policies.decompose.pieces import Piece
from policies.decompose.pipeline import decompose, read_pieces, stored_models
from policies.decompose.roles import role_scores
from policies.decompose.sift import idle
from policies.segment import segment

HEAD = "示例区就业补贴清单\n一、创业补贴\n对初次创业的毕业生，给予一次性创业补贴6000元。\n"
TAIL = "九、见习补贴\n对接收见习人员的企业，按每人每月1500元给予见习补贴。\n"


def _items(text: str) -> list[list[str]]:
    return [[str(b["quote"]) for b in i.benefits] for i in decompose(text).items]


def _idle(sentence: str, words: str) -> bool:
    clauses = segment(sentence)
    reading = read_pieces(sentence, clauses, role_scores(clauses, stored_models()["roles"]), stored_models())
    at = reading.views[0].flat.index(words)
    return idle(reading, Piece("benefit", 0, at, at + len(words), 0.5))


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("岗位补贴期限，除残疾人外，其余人员最长不超过2年。", "其余人员最长不超过2年"),
        ("当年预算不足的，可结转下年优先安排。", "可结转下年优先安排"),
        ("持旧证的人员继续享受政策至期满。", "继续享受政策至期满"),
        ("项目迁出的，企业应返还政府给予的补助资金。", "给予的补助资金"),
        ("对三十个市县予以通报，相应采取五项奖励支持措施。", "相应采取五项奖励支持措施"),
        ("对第二套住房的家庭，首付款比例不得低于40%，贷款利率上浮。", "贷款利率上浮"),
    ],
)
def test_what_ends_goes_on_or_is_taken_back_gives_nothing(sentence: str, words: str) -> None:
    assert _idle(sentence, words)


def test_how_long_a_subsidy_lasts_is_no_item_of_its_own() -> None:
    found = _items(
        HEAD
        + "二、岗位补贴\n对公益岗位安置的困难人员，每人每月给予岗位补贴800元。岗位补贴期限，除残疾人可延长外，其余人员最长不超过2年。\n"
        + TAIL
    )
    assert len(found) == 3 and not any("最长" in q for i in found for q in i)


def test_who_is_helped_against_poverty_is_helped() -> None:
    assert any(
        "求职补贴" in q
        for i in _items(HEAD + "二、求职补贴\n对防止返贫监测对象家庭的毕业生，给予一次性求职补贴。\n" + TAIL)
        for q in i
    )


def test_a_sentence_that_goes_on_giving_stays_with_the_one_before() -> None:
    found = _items(
        HEAD
        + "二、引才\n对引进省级领军人才的企业，按每人5万元给予引才资助；一次性给予个人20万元安家费；3年内每年给予个人2万元津贴。\n"
        + TAIL
    )
    assert len(found) == 3
    assert any(len([q for q in i if "万元" in q]) == 3 for i in found)


def test_the_standard_behind_a_plain_giving_is_part_of_it() -> None:
    found = _items(
        HEAD + "二、岗位补贴\n对安置的困难人员给予岗位补贴。补贴标准参照当地最低工资标准执行。\n" + TAIL
    )
    assert any(any("补贴标准参照" in q for q in i) and any("岗位补贴" in q for q in i) for i in found)


def test_a_share_of_the_staff_is_no_rate() -> None:
    sentence = "小微企业新招用人数占现有在职职工人数比例15%的，最高可申请贷款300万元。"
    clauses = segment(sentence)
    reading = read_pieces(sentence, clauses, role_scores(clauses, stored_models()["roles"]), stored_models())
    share = next(n for n, q in enumerate(reading.mentions[0]) if q.kind == "percent")
    assert KEYS[int(reading.keys[0][share].argmax())] == "none"


def test_who_is_encouraged_is_the_condition_of_what_he_gets() -> None:
    text = HEAD + "二、总部\n鼓励物流企业将总部设在本区，视其营业收入情况给予适当奖励。\n" + TAIL
    item = next(i for i in decompose(text).items if any("适当奖励" in str(b["quote"]) for b in i.benefits))
    assert any("将总部设在本区" in str(c["quote"]) for c in item.conditions)
    assert not any("鼓励" in str(c["quote"]) or "营业收入" in str(c["quote"]) for c in item.conditions)


RULES = """示例市引进人才管理办法
第一条 为优化人才结构，制定本办法。
第二条 加大科技人才引进力度，符合以下条件之一的人员可申请办理人才引进：
（一）获得五项发明专利的独立完成人；
（二）在本市高新技术企业承担重要工作的人员。
第三条 加大体育人才引进力度，符合以下条件之一的人员可申请办理人才引进：
（一）国际级裁判员；
（二）优秀体育后备人才。
第四条 对贡献突出且依法纳税的自由职业者，可申请办理人才引进。
第五条 引进人才无房屋的，可在聘用单位的集体户落户。
第六条 聘用单位应履行缴纳社会保险等义务。
"""


def test_rules_that_let_one_group_after_the_other_apply_have_an_item_each() -> None:
    found = decompose(RULES)
    assert [i.clauses[0] for i in found.items] == sorted(i.clauses[0] for i in found.items)
    assert len(found.items) == 4
    second = [str(c["quote"]) for c in found.items[1].conditions]
    assert any("国际级裁判员" in q for q in second) and not any("发明专利" in q for q in second)


TO_PLACES = """关于对真抓实干成效明显地方加大激励支持力度的通知
对推进数字化改革成效明显的市、县
给予一定财政资金奖励，用于统筹推进数字化改革。
对发展海洋经济成效明显的设区市
在安排专项资金时予以倾斜支持，对其行政区域内符合条件的项目给予优先支持。
"""


def test_what_places_get_is_no_item() -> None:
    assert decompose(TO_PLACES).items == []


def test_relief_that_goes_on_for_others_is_one_item_and_no_condition() -> None:
    text = (
        "示例区支持文化企业转制若干政策\n一、由财政拨付经费的文化单位转制为企业，五年内免征房产税。"
        "2018年12月31日前已完成转制的企业，可继续免征五年房产税。\n"
        "二、对首次纳入统计的文化企业，给予一次性奖励10万元。\n三、对新建剧场的企业，给予一次性补助50万元。\n"
    )
    found = decompose(text).items
    assert len(found) == 3
    assert sum("免征" in str(b["quote"]) for b in found[0].benefits) == 2
    assert not any("免征" in str(c["quote"]) for c in found[0].conditions)


@pytest.mark.parametrize(
    "words",
    [
        "视其营业收入等情况",
        "根据项目贷款利率",
        "按不同等次",
        "核发认定证书",
        "支持方式分为补助和贴息两种",
        "若合同期不满一年",
    ],
)
def test_what_measures_tells_or_confers_asks_nothing(words: str) -> None:
    assert MEASURED_BY.fullmatch(words) or ASKS_NOTHING.fullmatch(words)


@pytest.mark.parametrize(
    "words",
    ["不包括分支机构的独立法人企业", "按规定缴纳社会保险费", "发给人才证书的人员", "依据合同约定完成投资"],
)
def test_what_asks_something_is_kept(words: str) -> None:
    assert not MEASURED_BY.fullmatch(words) and not ASKS_NOTHING.fullmatch(words)


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("奖励资金暂定为100万元，用完为止。", "奖励资金暂定为100万元"),
        ("区政府设立商贸发展专项资金，纳入年度预算，按照公开的原则，对符合条件的企业给予奖励。", "给予奖励"),
        ("全市提供培训补贴等一系列举措。", "提供培训补贴等一系列举措"),
    ],
)
def test_a_fund_or_a_series_of_measures_gives_nothing(sentence: str, words: str) -> None:
    assert _idle(sentence, words)


def test_what_one_firm_gets_at_most_in_all_is_no_item() -> None:
    found = _items(
        HEAD
        + "二、扩岗补助\n对新招用毕业生的企业，按每人1000元给予扩岗补助。\n"
        + TAIL
        + "十、其他\n同一企业年度补贴总额最高不超过50万元。\n"
    )
    assert len(found) == 3 and not any("50万元" in q for i in found for q in i)


def test_who_stands_before_a_subsidy_by_the_month_is_who_gets_it() -> None:
    text = HEAD + "二、住房\n本科毕业生住房租赁补贴每月1500元，购房补贴每年2万元。\n" + TAIL
    item = next(i for i in decompose(text).items if any("1500元" in str(b["quote"]) for b in i.benefits))
    assert any(str(c["quote"]) == "本科毕业生" for c in item.conditions)
