"""给予金额: sums that a verb of giving takes give in any clause; steps of one figure are one item; refunds give nothing."""

from __future__ import annotations

from policies.decompose.pipeline import decompose

FRAME = """青溪市扶持办法
一、支持企业上规模。对首次纳入规模以上工业统计的企业，一次性奖励20万元。
二、支持技术改造。总投资500万元以上的技术改造项目，按设备投资额的8%给予补助，最高不超过800万元。
三、{}
"""


def items(said: str) -> list[list[str]]:
    """The benefits' quotes of the items beyond the frame's two."""
    return [[b["quote"] for b in i.benefits] for i in decompose(FRAME.format(said)).items][2:]


def test_steps_that_differ_in_their_figure_only_are_one_item() -> None:
    said = "支持企业增效。企业年缴税金达到30万元以上的，一次性给予10万元奖励；企业年缴税金达到50万元以上的，一次性给予20万元奖励。"
    assert [len(i) for i in items(said)] == [2]


def test_a_step_told_by_its_figure_alone_goes_on_with_the_one_before() -> None:
    said = "支持代理机构。专利代理机构年代理授权50件以上的，奖励5万元；100件以上的，奖励12万元。"
    assert [len(i) for i in items(said)] == [2]


def test_other_triggers_with_figures_stay_items_of_their_own() -> None:
    said = "支持平台。新建孵化器面积达到2000平方米以上的，给予50万元奖励；众创空间服务企业达到30家以上的，给予20万元奖励。"
    assert [len(i) for i in items(said)] == [1, 1]


def test_money_that_firms_must_give_back_is_no_item() -> None:
    assert items("退出机制。享受奖励的企业五年内迁出的，应当全额退回奖励资金。") == []


def test_places_that_are_urged_to_give_give_nothing() -> None:
    assert items("推动数字赋能。鼓励有条件的县区对数字化改造项目给予补助。") == []
