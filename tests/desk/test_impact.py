"""试算: the desk's trial page shows what the analysts' face finds, and keeps nothing."""

from __future__ import annotations

from urllib.parse import urlencode

from analysis import View, compare, sweep, threshold_for

ITEM = "bs-2025-06/rd-intensity"
PAGE = f"/desk/items/{ITEM}/impact"
CHANGE = {"c.rd_scale": "研发费用[Y] >= 100万元"}


def seen(desk) -> View:  # type: ignore[no-untyped-def]
    """The night on show, as an analyst opens it."""
    return View(desk.app.state.office.night())


def test_a_trial_shows_who_comes_and_for_how_much(desk) -> None:
    client = desk.client("lin")
    empty = client.get(PAGE)
    assert empty.status_code == 200 and "影响谁" not in empty.text
    view = seen(desk)
    found = compare(view, view.with_rule(ITEM, conditions={"rd_scale": CHANGE["c.rd_scale"]}), ITEM)
    assert len(found.gained)
    page = client.get(f"{PAGE}?{urlencode(CHANGE)}").text
    assert f"＋{len(found.gained)} 家" in page and "impact.svg?" in page
    for name in found.gained["企业名称"].head(5):
        assert name in page
    drawing = client.get(f"{PAGE}.svg?{urlencode(CHANGE)}")
    assert drawing.headers["content-type"].startswith("image/svg+xml") and "<svg" in drawing.text


def client_page(desk, asked: dict[str, str]) -> str:  # type: ignore[no-untyped-def]
    return str(desk.client("lin").get(f"{PAGE}?{urlencode(asked)}").text)


def test_who_comes_is_shown_by_group_with_names_and_reasons(desk) -> None:
    page = client_page(desk, CHANGE)
    for words in ("分行业、规模、区域", "C 制造业", "120116 滨海新区", "原来不够："):
        assert words in page, words


def test_a_sweep_by_size_is_the_analysts_own(desk) -> None:
    found = sweep(seen(desk), ITEM, "rd_scale", ["100万元", "300万元"], by="企业规模")
    asked = {"sweep": "rd_scale", "values": "100万元，300万元", "by": "企业规模"}
    page = desk.client("lin").get(f"{PAGE}?{urlencode(asked)}").text
    for size in found.spread("企业规模").columns:
        assert f">{size}</th>" in page
    by_place = client_page(desk, {**asked, "by": "登记地区划"})
    assert ">120116 滨海新区</th>" in by_place
    assert page.count("<td>100万元</td>") == 1


def test_the_threshold_for_a_sum_is_found_and_said(desk) -> None:
    found = threshold_for(seen(desk), ITEM, "rd_scale", 300_0000)
    client = desk.client("lin")
    page = client.get(f"{PAGE}?{urlencode({'sweep': 'rd_scale', 'spend': '300万元'})}").text
    assert f"花到 300万元，门槛可定在 {found['门槛']}" in page
    assert "请选一个条件" in client.get(f"{PAGE}?spend=300万元").text


def test_faults_come_in_words_and_nothing_is_kept(desk) -> None:
    client = desk.client("lin")
    wrong = client.get(f"{PAGE}?{urlencode({'c.rd_scale': '没有的指标 >= 1元'})}")
    assert wrong.status_code == 200 and "没有“没有的指标”这个指标" in wrong.text
    assert "要写成 2000万元" in client.get(f"{PAGE}?budget=很多").text
    assert "像原来的一样" in client.get(f"{PAGE}?{urlencode({'sweep': 'rd_scale', 'values': '5%'})}").text
    assert client.get(f"{PAGE}.svg").status_code == 404
