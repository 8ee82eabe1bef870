"""行政区划: one answer where the texts agree, none where they don't."""

from __future__ import annotations

import pytest

from profiles import tables
from profiles.places import division, provinces, short_name


@pytest.mark.parametrize(
    ("province", "region", "address", "code"),
    [
        ("天津", "滨海", "天津市滨海新区大港", "120116"),
        ("天津市", "N/A", "天津市武清区", "120114"),
        ("天津", "西青", "海泰发展五道", "120111"),
        ("辽宁", "沈阳", "沈阳市和平区南京街", "210102"),
        ("辽宁", "朝阳", "朝阳市双塔区", "211302"),
        ("北京", "朝阳", "建国路", "110105"),
        ("湖南", "长沙", "长沙县星沙镇", "430121"),
        ("广东", "深圳", "科技园", "440300"),
        ("江苏", "苏州", "昆山市玉山镇", "320583"),
        ("河北", "石家庄", "桥西区", "130104"),
        ("河北", "N/A", "桥西区", None),  # 石家庄 and 张家口 have one each
        ("天津", "西青", "滨海新区", None),  # two districts are named
        ("辽宁", "大连", "沈阳市和平区", None),
        ("辽宁", "沈阳", "大连市中山区", None),
        ("不是省", "滨海", "滨海新区", None),
        ("天津", "", "", None),
    ],
)
def test_the_district_the_texts_agree_on(province, region, address, code):
    assert division(province, region, address) == code


def test_every_county_is_found_by_its_full_name_in_its_city():
    names = tables.division_names()
    rows = [row for row in tables.read("divisions_2026") if row["level"] == "3"]
    wrong = []
    for row in rows:
        city = "" if row["parent_code"].endswith("0000") else names[row["parent_code"]]
        found = division(names[row["code"][:2] + "0000"], city, row["name"])
        if found not in (row["code"], None):
            wrong.append((row["name"], found))
    assert wrong == []
    assert len(provinces()) == 34


def test_short_names():
    assert [short_name(n) for n in ("天津市", "滨海新区", "广西壮族自治区", "香港特别行政区", "沙县", "蓟州区")] == [
        "天津", "滨海", "广西", "香港", "沙县", "蓟州",
    ]  # fmt: skip
