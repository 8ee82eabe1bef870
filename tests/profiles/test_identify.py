"""认领候选: written names find the known one they were altered from; scores order and decide nothing."""

from __future__ import annotations

import random

from profiles.identify import NameIndex
from profiles.names import core_name, normal_name

BRANDS = "".join(chr(0x4E00 + 17 * n) for n in range(1_200))
TRADES = (
    "科技",
    "商贸",
    "机械设备",
    "国际物流",
    "信息技术",
    "生物医药",
    "建筑工程",
    "新材料",
    "食品",
    "文化传媒",
)
FORMS = ("有限公司", "有限责任公司", "股份有限公司")


def made_up(count: int, seed: int) -> list[str]:
    pick = random.Random(seed)
    names: dict[str, None] = {}
    while len(names) < count:
        brand = "".join(pick.sample(BRANDS, 3))
        names["滨海" + brand + pick.choice(TRADES) + pick.choice(FORMS)] = None
    return list(names)


def altered(name: str, pick: random.Random) -> str:
    kind = pick.randrange(4)
    if kind == 0:
        return name.replace("有限责任公司", "有限公司")
    if kind == 1:
        return "（" + name[:2] + "）" + name[2:] + "(曾用名：别的公司)"
    place = pick.randrange(2, 5)
    if kind == 2:
        return name[:place] + name[place + 1 :]
    return name[:place] + "某" + name[place + 1 :]


def test_altered_names_find_their_own():
    names = made_up(3_000, 1)
    pick = random.Random(2)
    found = NameIndex(names).candidates([altered(name, pick) for name in names])
    right = sum(bool(c) and normal_name(names[c[0][0]]) == normal_name(names[i]) for i, c in enumerate(found))
    assert right / len(names) >= 0.98


def test_scores_are_ordered_and_one_only_for_the_same_normal_name():
    index = NameIndex(["滨海瀚澜科技有限公司", "滨海瀚澜商贸有限公司", "别家食品股份有限公司"])
    found = index.candidates(["滨海瀚澜科技有限责任公司", "滨海瀚澜科技股份有限公司", "毫不相干"], most=2)
    assert found[0][0] == (0, 1.0)
    assert found[1][0][0] == 0
    assert 0 < found[1][0][1] < 1
    assert [score for _, score in found[0]] == sorted((score for _, score in found[0]), reverse=True)
    assert found[2] == []


def test_few_and_odd_names_do_no_harm():
    assert NameIndex(["甲"]).candidates(["乙"]) == [[]]
    assert NameIndex(["同名公司"] * 3).candidates(["同名公司", ""])[0][0][1] == 1.0


def test_normal_names():
    assert normal_name("滨海（示范）有限责任公司") == normal_name("滨海(示范)有限公司 ") == "滨海示范公司"
    assert normal_name("ＡＢ科技有限公司（曾用名：甲乙）") == "AB科技公司"
    assert core_name("天津市滨海新区瀚澜科技有限公司") == "瀚澜科技公司"
    assert core_name("天津公司") == "天津公司"
