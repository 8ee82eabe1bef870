"""What belongs to one award, what a line over some points says of each, and what a text without money gives."""

from __future__ import annotations

from policies.decompose.pipeline import decompose

FIELDS = """就业扶持政策清单
青年见习补贴
政策内容：见习单位为见习人员发放生活费不低于当地最低工资标准。
对留用率超过50%的见习单位，生活费按当地最低工资标准给予补贴，保险费给予全额补贴。
补贴测算：对留用率50%以下的见习单位，给予当地最低工资标准2/3的补贴。
甲县见习补贴每人每月1500元，乙县见习补贴每人每月1600元。
申请渠道：所在街道
灵活用工社保补贴
政策内容：对灵活就业后缴纳社会保险费的困难人员，按规定给予社会保险补贴，每人每月200元。
申请渠道：所在街道
"""


def _quotes(text: str) -> list[list[str]]:
    return [[b["quote"] for b in i.benefits] for i in decompose(text).items]


def test_the_fields_under_the_name_of_one_subsidy_are_one_item() -> None:
    found = _quotes(FIELDS)
    assert len(found) == 2
    assert any("1500元" in q for q in found[0]) and any("全额补贴" in q for q in found[0])
    assert any("200元" in q for q in found[1])


def test_fields_under_a_heading_of_several_measures_stay_apart() -> None:
    text = FIELDS.replace("青年见习补贴\n", "完善就业保障的措施\n")
    assert len(_quotes(text)) > 2


def test_what_a_line_says_of_whom_binds_each_of_its_points() -> None:
    text = """某区支持专精特新企业若干措施
第一条 专项支持。对在本区注册满三年的专精特新企业给予下列奖励：
（一）首次通过省级绿色工厂认定的，给予一次性奖励20万元。
（二）牵头制定国家标准的，给予一次性奖励50万元。
第二条 人才支持。
（一）对引进博士的企业，给予每人5万元补助。
"""
    items = decompose(text).items
    assert len(items) == 3
    held = [any("注册满三年" in c["quote"] for c in i.conditions) for i in items]
    assert held == [True, True, False]


HOMES = """某新城青年人才公寓管理办法
第一章 申请条件
第一条 符合下列条件之一的申请人，可申请青年人才公寓：
（一）具有大学本科及以上学历；
（二）具有中级及以上职称；
（三）与区内企业签订两年以上劳动合同。
第二章 申请材料
1.青年人才公寓申请表；
2.学历证书复印件；
3.劳动合同复印件。
"""


def test_what_one_may_apply_for_is_an_item_though_no_money_is_given() -> None:
    found = decompose(HOMES).items
    assert [i.benefits[0]["quote"] for i in found] == ["可申请青年人才公寓"]
    assert len(found[0].conditions) >= 3 and len(found[0].materials) == 3
    assert found[0].title == "青年人才公寓"


def test_a_permit_that_one_applies_for_is_no_item() -> None:
    text = HOMES.replace("青年人才公寓管理办法", "食品经营许可办理指南").replace(
        "青年人才公寓", "食品经营许可"
    )
    assert decompose(text).items == []


def test_what_refers_to_an_award_or_is_owed_by_firms_gives_nothing_more() -> None:
    text = """某县文旅奖励办法
第一条 新评定为国家4A级景区的，一次性奖励100万元。按投资额度享受以上奖励政策。
第二条 对年接待游客超过10万人次的旅行社，奖励5万元。采取后补助支持方式。
第三条 见习单位应当每月向见习人员提供不低于最低工资标准80%的生活补贴。
"""
    found = _quotes(text)
    assert len(found) == 2
    assert not any("以上奖励政策" in q or "方式" in q or "见习" in q for quotes in found for q in quotes)


def test_aims_and_steps_over_some_points_are_no_conditions_of_theirs() -> None:
    text = """某区支持文化企业融资办法
第一条 降低文化企业融资成本，缓解文化企业融资难题，促进文化产业发展。
（一）贷款贴息。对从银行获得贷款的文化企业，给予不超过40%的贴息支持。
（二）担保奖励。对为文化企业提供担保的担保公司，按照担保额的1%给予奖励。企业应向区文化局提出申请。
"""
    found = decompose(text)
    told = [c["quote"] for i in found.items for c in i.conditions] + [c["quote"] for c in found.conditions]
    assert len(found.items) == 2 and told
    assert not any("成本" in q or "难题" in q or "提出申请" in q for q in told)


def test_what_brackets_explain_takes_nothing_away() -> None:
    text = """高企政策
1.对首次通过高新技术企业认定的企业，给予一次性30万元奖励；对当年通过重新认定的企业，给予一次性10万元奖励（注：复审已取消，统一改为重新认定）。
2.已完成制作的优质影片项目，可以申请影片宣传推介方面扶持。
"""
    told = [q for quotes in _quotes(text) for q in quotes]
    assert any("10万元" in q for q in told) and any("可以申请影片" in q for q in told)
