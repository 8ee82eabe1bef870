"""领起的地方: rules told place by place bind their place, and the names say so."""

from __future__ import annotations

from policies.decompose.pipeline import decompose

TEXT = """各地高新技术产品奖励
一、各镇政策
《甲溪镇科技创新资金管理办法》对通过省高新技术产品认定的，每个奖励2万元。
《乙河镇促进科技创新办法》对通过省高新技术产品认定的，每个奖励2万元。
《丙山镇科技资金办法》对通过省高新技术产品认定的，每个奖励3万元。
"""


def test_twins_of_several_places_differ_by_their_place() -> None:
    items = decompose(TEXT).items
    assert len(items) == 3
    assert [next(c["quote"] for c in i.conditions if c.get("kind") == "place") for i in items] == [
        "甲溪镇",
        "乙河镇",
        "丙山镇",
    ]
    assert all(place in i.title for place, i in zip(("甲溪镇", "乙河镇", "丙山镇"), items, strict=True))


def test_one_place_alone_is_no_condition() -> None:
    items = decompose(TEXT.replace("乙河镇", "甲溪镇").replace("丙山镇", "甲溪镇")).items
    assert not any(c["quote"] == "甲溪镇" for i in items for c in i.conditions)
