"""接口·试算、对账、日历、沿革、画像: by token the same answers, the same record and the same refusals as on the desk."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO
from typing import Any

from clients import Desk
from openpyxl import load_workbook
from test_api import Api
from test_firm_file import filed  # noqa: F401 - a fixture
from test_money_pages import CODE, paying

from analysis import View, compare, sweep, threshold_for
from store import audit, batches, grants, review
from store.calendars import office_calendar
from store.firms import provenance

ITEM = "bs-2025-06/rd-intensity"
READ, WRITE = ("read",), ("read", "write")
CHANGE = {"rd_scale": "研发费用[Y] >= 100万元"}


def test_a_trial_is_the_analysts_own_and_is_read_page_by_page(desk: Desk) -> None:
    api, view = Api(desk, "lin", READ), View(desk.app.state.office.night())
    found = compare(view, view.with_rule(ITEM, conditions=CHANGE), ITEM)
    path = f"/items/{ITEM}/trial"
    first = api.post(path, {"conditions": CHANGE}, size=1).json()
    assert first["gained"] == len(found.gained) > 0 and first["total"] == len(found.firms)
    assert first["after"] == found.after and first["approval"] == found.approval()
    codes = [
        api.post(path, {"conditions": CHANGE}, size=1, page=n + 1).json()["rows"][0]["code"]
        for n in range(min(3, first["total"]))
    ]
    assert codes == found.firms["统一社会信用代码"].head(3).tolist()
    assert api.post(path, {}).status_code == 409
    wrong = api.post(path, {"conditions": {"rd_scale": "没有的指标 >= 1元"}})
    assert wrong.status_code == 409 and "没有“没有的指标”这个指标" in wrong.json()["detail"]
    assert api.post(path, {"budget": "很多"}).status_code == 409
    assert Api(desk, "kan", READ).post("/items/bs-0000/none/trial", {"budget": "1万元"}).status_code == 404


def test_a_sweep_and_the_threshold_for_a_sum(desk: Desk) -> None:
    api, view = Api(desk, "lin", READ), View(desk.app.state.office.night())
    values = ["100万元", "300万元"]
    said = api.post(
        f"/items/{ITEM}/sweep",
        {"condition": "rd_scale", "values": values, "by": "企业规模", "spend": "300万元"},
    ).json()
    table = sweep(view, ITEM, "rd_scale", values, by="企业规模")
    assert [r["fits"] for r in said["rows"]] == table.table["符合"].tolist()
    assert [sum(r["groups"].values()) for r in said["rows"]] == table.table["符合"].tolist()
    assert said["found"]["value"] == str(threshold_for(view, ITEM, "rd_scale", 300_0000)["门槛"])
    for body, words in (
        ({"condition": "rd_scale"}, "没有说试哪些门槛"), ({"condition": "none", "values": ["1元"]}, "none"),
        ({"condition": "rd_scale", "values": ["5%"]}, "像原来的一样"), ({"condition": "rd_scale", "spend": "1元", "by": "星座"}, "星座"),
    ):  # fmt: skip
        answer = api.post(f"/items/{ITEM}/sweep", body)
        assert answer.status_code == 409 and words in answer.json()["detail"], body


def test_a_trial_goes_out_as_excel_with_what_was_changed(fresh: Desk) -> None:
    api = Api(fresh, "lin", READ)
    view = View(fresh.app.state.office.night())
    found = compare(view, view.with_rule(ITEM, conditions=CHANGE), ITEM)
    asked: dict[str, Any] = {"c.rd_scale": CHANGE["rd_scale"]}
    by_token = api.get(f"/items/{ITEM}/impact.xlsx", **asked)
    on_desk = fresh.client("lin").get(f"/desk/items/{ITEM}/impact.xlsx", params=asked)
    for answer in (by_token, on_desk):
        rows = list(load_workbook(BytesIO(answer.content)).active.iter_rows(values_only=True))
        head = next(i for i, r in enumerate(rows) if r[1] == "统一社会信用代码")
        assert [r[1] for r in rows[head + 1 :]] == found.firms["统一社会信用代码"].tolist()
        above = "\n".join(str(r[0]) for r in rows[:head])
        assert CHANGE["rd_scale"] in above and "第 1 次比对" in above
    assert audit.entries(fresh.engine, what="导出试算")[1] == 2
    swept = api.get(f"/items/{ITEM}/impact.xlsx", sweep="rd_scale", values="100万元 300万元")
    rows = list(load_workbook(BytesIO(swept.content)).active.iter_rows(values_only=True))
    assert [r[0] for r in rows[-2:]] == ["100万元", "300万元"]
    assert api.get(f"/items/{ITEM}/impact.xlsx").status_code == 404


def test_finance_reconciles_by_token_and_a_repeat_pays_nothing_twice(fresh: Desk) -> None:
    paying(fresh)
    lines = (
        "流水号,统一社会信用代码,事项,金额(元),支付日期,状态\n"
        f"S1,{CODE},d/i,100.00,2026-06-12,成功\nS2,{CODE},d/i,5,2026-06-12,成功\n"
    ).encode()
    path, finance = "/api/payments?name=88.csv", Api(fresh, "cai", WRITE)

    def hand_in(api: Api, data: bytes, key: str, where: str = path) -> Any:
        return api.client.post(where, content=data, headers={**api.headers, "Idempotency-Key": key})

    assert hand_in(Api(fresh, "lin", WRITE), lines, "pay-88-lin").status_code == 403
    assert hand_in(Api(fresh, "cai", READ), lines, "pay-88-read").status_code == 403
    said = hand_in(finance, lines, "pay-88-001")
    assert said.status_code == 201, said.text
    assert said.json()["counts"] == {"已记": 1, "对不上": 1} and "S2" in said.json()["unmatched"][0]
    assert hand_in(finance, lines, "pay-88-001").headers["Idempotency-Replayed"] == "true"
    assert hand_in(finance, lines, "pay-88-002").status_code == 201
    (case,) = grants.find(fresh.engine, code=CODE)
    assert case.state == "到账" and case.arrived == 100_00
    books = finance.get("/payments").json()
    assert books["file"] == "88.csv" and any("S2" in f for f in books["findings"])
    bad = hand_in(finance, b"no", "pay-bad-01", "/api/payments?name=x.xlsx")
    assert bad.status_code == 409 and "x.xlsx" in bad.json()["detail"]
    assert hand_in(finance, b"no", "pay-bad-02", "/api/payments?name=../x.csv").status_code == 422
    assert audit.entries(fresh.engine, what="与财政对账")[1] == 2


def test_quiet_days_and_a_years_calendar(fresh: Desk) -> None:
    admin, lin = Api(fresh, "admin", WRITE), Api(fresh, "lin", WRITE)
    quiet = {"periods": [{"first": "2026-10-01", "last": "2026-10-07"}], "every_days": 14}
    assert lin.post("/quiet", quiet).status_code == 403 and lin.get("/quiet").status_code == 403
    assert admin.post("/quiet", quiet).json() == admin.get("/quiet").json() == quiet
    assert review.setting(fresh.engine, "push")["quiet"] == [["2026-10-01", "2026-10-07"]]
    back = {"periods": [{"first": "2026-10-07", "last": "2026-10-01"}], "every_days": 7}
    assert admin.post("/quiet", back).status_code == 409 and admin.get("/quiet").json() == quiet
    assert 2027 not in {y["year"] for y in lin.get("/calendar").json()}
    off = {"rest": ["2027-01-01", "2027-01-02", "2027-01-03"], "work": []}
    said = admin.post("/calendar/2027", off).json()
    assert said == {"year": 2027, "rest": ["2027-01-01"], "work": []}, "the weekend is off anyway"
    assert not office_calendar(fresh.engine).is_workday(date(2027, 1, 1))
    assert said in lin.get("/calendar").json()
    assert admin.post("/calendar/2027", {"rest": ["2028-01-03"], "work": []}).status_code == 409
    assert lin.post("/calendar/2027", off).status_code == 403
    assert audit.entries(fresh.engine, what="录工作日历")[1] == 1


def test_a_values_history_and_a_files_changes(filed) -> None:  # noqa: F811
    fresh, code = filed
    api = Api(fresh, "lin", READ)
    said = api.get(f"/firms/{code}/history", indicator="注册资本").json()
    assert said["total"] == 2 and "350" in said["rows"][0]["value"] and said["rows"][1]["batch"] == 1
    assert (
        api.get(f"/firms/{code}/history", indicator="注册资本", size=1, page=2).json()["rows"]
        == said["rows"][1:]
    )
    assert api.get(f"/firms/{code}/history", indicator="没有这个").status_code == 404
    changes = api.get(f"/firms/{code}/changes").json()
    assert changes["total"] == 2 and "注册资本" in {v["name"] for v in changes["rows"][0]["values"]}
    assert api.get("/firms/91110000600037341L/changes").status_code == 404


def test_tags_are_confirmed_once_and_no_department_is_overwritten(filed) -> None:  # noqa: F811
    fresh, code = filed
    lin, kan = Api(fresh, "lin", WRITE), Api(fresh, "kan", WRITE)
    tags = {"industry": "C3973", "themes": ["新一代信息技术产业"]}
    assert kan.post(f"/firms/{code}/tags", tags).status_code == 403
    for _ in range(2):
        assert lin.post(f"/firms/{code}/tags", tags, key="tags-0001").status_code == 201
    facts = provenance(fresh.engine, code, fresh.moment.date() + timedelta(days=1))
    assert facts["确认行业代码", None].value == "C3973" and ("行业代码", None) not in facts
    assert sum(b.source == "officer_tags" for b in batches.batches(fresh.engine)) == 1
    wrong = lin.post(f"/firms/{code}/tags", {"industry": "C9999"})
    assert wrong.status_code == 409 and "4754" in wrong.json()["detail"]
    assert audit.entries(fresh.engine, what="确认画像标签")[1] == 1


def test_an_items_rule_file_byte_for_byte(desk: Desk) -> None:
    api = Api(desk, "lin", READ)
    doc, slug = ITEM.split("/")
    kept = (desk.app.state.office.library_root / doc / "items" / f"{slug}.yaml").read_bytes()
    answer = api.get(f"/items/{ITEM}/rule.yaml")
    assert answer.content == kept and answer.headers["content-type"].startswith("application/yaml")
    assert api.get("/items/bs-2025-06/none/rule.yaml").status_code == 404
