"""草稿存疑: lists of kinds, of which one suffices, on invented texts."""

from __future__ import annotations

import pytest

from policies.draft_doubts import kinds_listed
from policies.segment import segment

KINDS = """第三层次人才
(1)具有大学本科及以上学历的人才；
(2)具有中级及以上职称、且在本市缴纳社会保险的人才；
(3)本区紧缺急需的其他人才。
"""
STATEMENTS = """申报条件
(1)申报单位在本市注册；
(2)上一年度营业收入不低于2000万元；
(3)申报单位应为依法设立的企业。
"""


@pytest.mark.parametrize("words", ["大学本科", "中级及以上职称", "紧缺急需"])
def test_points_that_name_kinds_are_alternatives(words: str) -> None:
    assert kinds_listed(segment(KINDS), KINDS.index(words))


@pytest.mark.parametrize("words", ["在本市注册", "营业收入", "依法设立"])
def test_points_that_say_what_must_be_so_are_not(words: str) -> None:
    assert not kinds_listed(segment(STATEMENTS), STATEMENTS.index(words))
