"""草稿的办事信息: what an invented call tells of applying, in its own words, and each section of its own item."""

from __future__ import annotations

from policies.decompose.pipeline import decompose
from policies.draft_guide import guide_of

CALL = """\
示例市关于组织申报2025年设备补助的通知
一、补助标准
对购置设备的企业，按设备投资额的10%给予补助，最高不超过100万元。
二、申报流程
（一）企业登录示例市惠企服务平台提交申请。
（二）区工信部门初审后报市工信局审核。
（三）审核结果公示5个工作日，对公示结果有异议的，可在公示期内书面提出。
（四）公示无异议后20个工作日内拨付资金。
三、其他事项
所需资金由市级财政专项资金列支。
受理地址：示例市人民路1号
咨询电话：0000-12345678
示例市工业和信息化局
2025年4月1日
"""


def test_the_fields_are_the_texts_own_words() -> None:
    found = decompose(CALL)
    guide = guide_of(found, found.items[0])
    flat = CALL.replace("\n", "")
    assert "惠企服务平台" in guide["channel"] and guide["phone"] == "0000-12345678"
    assert guide["address"] == "示例市人民路1号"
    assert guide["funding"] == "所需资金由市级财政专项资金列支"
    assert "20个工作日内拨付" in guide["deadline"] and "公示5个工作日" in guide["publicity"]
    assert "有异议" in guide["objection"]
    assert len(guide["process"]) >= 2
    assert all(str(v) in flat for k, v in guide.items() if k != "process")


def test_what_a_text_does_not_tell_is_left_out() -> None:
    found = decompose(
        "示例市若干措施\n一、支持购置设备\n对购置设备的企业，按设备投资额的10%给予补助，最高100万元。\n二、支持升规\n对首次升规的企业，给予一次性奖励10万元。\n"
    )
    assert guide_of(found, found.items[0]) == {}
