"""及于谁: which conditions bind all items of a text and which are left to a person, on invented texts."""

from __future__ import annotations

import datetime as dt

from policies.decompose.pipeline import decompose
from policies.decompose.reach import ASIDE
from policies.drafts import draft
from profiles.dictionary import builtin_dictionary

TEXT = """某区支持产业发展若干措施
一、支持购置设备
对购置设备的企业，按设备投资额的10%给予补助，最高100万元。
二、支持企业升规
对首次升为规模以上工业企业的，给予一次性奖励10万元。
三、做大担保规模
对合作银行开展的小微企业贷款业务，推动风险分担资金池规模达到1亿元以上。
四、附则
申报单位应当在本区依法登记注册，具有独立法人资格。
"""


def _general() -> dict[str, str]:
    found = decompose(TEXT)
    assert len(found.items) == 2
    return {str(c["quote"]): str(c.get("scope", "")) for c in found.conditions}


def test_what_binds_all_is_told_from_a_points_own_affair() -> None:
    general = _general()
    of_all = [q for q, scope in general.items() if scope != ASIDE]
    aside = [q for q, scope in general.items() if scope == ASIDE]
    assert any("独立法人资格" in q for q in of_all), general
    assert not any("1亿元" in q or "合作银行" in q for q in of_all), general
    assert all("登记注册" not in q for q in aside), general


def test_a_draft_lists_what_no_item_holds_and_asks_it_of_nobody() -> None:
    found = decompose(TEXT)
    found.conditions.append(
        {
            "quote": "规模达到1亿元以上",
            "start": TEXT.index("规模达到1亿元以上"),
            "score": 0.8,
            "kind": "numeric",
            "scope": ASIDE,
        }
    )
    made = draft(found, "d1", "d1.txt", builtin_dictionary(), {"本区": "120116"}, dt.date(2026, 6, 1))
    assert ("三", "规模达到1亿元以上") in made.aside
    assert "1亿元以上" not in made.files["d1/document.yaml"]
    assert "独立法人资格" in made.files["d1/document.yaml"]


ANSWERS = """某市创业贷款问答
一、贷款最高可以申请多少？
答：符合条件的个人贷款额度最高30万元，给予贴息；带动就业5人及以上的，贷款额度最高50万元，给予贴息。
二、有哪些申请条件？
答：个人借款人申请条件：
1.提交贷款申请时女性不超过55周岁；
2.有具体经营项目。
小微企业借款人申请条件：
1.在本市行政区域内登记注册；
2.无拖欠职工工资记录。
三、小微企业可以得到什么？
答：对小微企业，贷款额度最高500万元，给予一次性奖励5万元。
"""


def test_what_one_kind_of_applicant_must_meet_binds_not_every_item() -> None:
    found = decompose(ANSWERS)
    scopes = {str(c["quote"]): str(c.get("scope", "")) for c in found.conditions}
    assert len(found.items) > 1
    assert all(
        scope == ASIDE for quote, scope in scopes.items() if "登记注册" in quote or "55周岁" in quote
    ), scopes
    assert any("登记注册" in q for q in scopes), scopes
