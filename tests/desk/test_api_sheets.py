"""接口·别页和文件: what the desk shows and hands out is there by token, with the same figures and the same record."""

from __future__ import annotations

from io import BytesIO

from clients import Desk
from openpyxl import load_workbook
from test_api import Api

from desk import doubts
from store import audit, review

READ, WRITE = ("read",), ("read", "write")


def test_the_days_page_and_the_shape_of_an_item_are_the_desks(desk: Desk) -> None:
    api, office = Api(desk, "lin", READ), desk.app.state.office
    said = api.get("/today").json()
    assert (
        said["run"] == office.night().no and said["ask"] and {m["what"] for m in said["money"]} >= {"已到账"}
    )
    item = "bs-2025-04/upscale"
    shape = api.get(f"/items/{item}/shape").json()
    funnel = office.funnel(office.night(), item)
    assert [f["remaining"] for f in shape["funnel"]] == funnel["remaining"].tolist()
    assert shape["near"] and all(g["count"] >= len(g["firms"]) for g in shape["near"])
    ready = {r["item"]: r for r in api.get("/readiness", size=500).json()["rows"]}
    assert len(ready[item]["tests"]) == 3
    assert api.get("/gaps").json()["rows"][0]["yuan"] >= 0
    assert any(r["id"] == item for r in api.get("/search", q="升规").json())
    assert api.get("/kpi/2026Q2").json()["quarter"] == "2026Q2" and api.get("/kpi/2026Q7").status_code == 404
    assert api.get("/arrears").json()["total"] == 0 and api.get("/pushes").json() == []


def test_a_list_is_sorted_and_narrowed_as_on_the_desk(desk: Desk) -> None:
    api, item = Api(desk, "lin", READ), "bs-2025-03/stable-jobs"
    rows = api.get(f"/items/{item}/matches", size=500, sort="-amount", verdict="符合").json()["rows"]
    sums = [r["low"] for r in rows if r["low"] is not None]
    assert len(sums) > 3 and sums == sorted(sums, reverse=True)
    codes = [r["code"] for r in api.get(f"/items/{item}/matches", size=500).json()["rows"]]
    assert codes == sorted(codes)
    makers = api.get(f"/items/{item}/matches", size=500, industry="C").json()
    office = desk.app.state.office
    hits = office.hits(office.night(), item)
    assert makers["total"] == int(hits["industry"].str.startswith("C").sum()) > 0
    assert api.get(f"/items/{item}/matches", officer="me").json()["total"] == 0
    assert api.get(f"/items/{item}/matches", sort="drop table").status_code == 422
    more = api.get(f"/items/{item}/matches", sort="code,-amount,name")
    assert [r["code"] for r in more.json()["rows"]] == codes[: len(more.json()["rows"])], "code decides alone"


def test_the_files_are_those_of_the_desk_and_their_taking_is_on_record(fresh: Desk) -> None:
    api, item = Api(fresh, "lin", READ), "bs-2025-03/stable-jobs"
    answer = api.get(f"/items/{item}/matches.xlsx", state="全部", verdict="符合")
    rows = list(load_workbook(BytesIO(answer.content)).active.iter_rows(values_only=True))
    head = next(i for i, r in enumerate(rows) if r[1] == "统一社会信用代码")
    assert {r[2] for r in rows[head + 1 :]} == {"符合"}
    assert audit.entries(fresh.engine, what="导出名单")[0][0].who == "lin"
    code = rows[head + 1][1]
    for path, begin in (
        (f"/items/{item}/matches.csv", b"\xef\xbb\xbf"), (f"/items/{item}/notice.xlsx", b"PK"), ("/items.xlsx", b"PK"),
        (f"/matches/{code}/{item}/evidence.pdf", b"%PDF"), ("/grants.xlsx", b"PK"), ("/readiness.xlsx", b"PK"),
    ):  # fmt: skip
        got = api.get(path)
        assert got.status_code == 200 and got.content.startswith(begin), path
    assert Api(fresh, "kan", READ).get(f"/items/{item}/matches.xlsx").status_code == 403


def test_a_token_makes_no_stronger_one_and_ends_others(fresh: Desk) -> None:
    admin, reader = Api(fresh, "admin", WRITE), Api(fresh, "admin", READ)
    wanted = {"login": "lin", "name": "报表", "scopes": ["read"]}
    assert reader.post("/tokens", wanted).status_code == 403
    made = admin.post("/tokens", wanted)
    assert made.status_code == 201 and made.json()["secret"].startswith("hq_") and made.json()["days"] <= 90
    listed = next(t for t in admin.get("/tokens").json() if t["name"] == "报表")
    assert (listed["login"], listed["scopes"], listed["revoked"]) == ("lin", ["read"], False)
    assert admin.delete(f"/tokens/{listed['id']}").status_code == 200
    assert next(t for t in admin.get("/tokens").json() if t["name"] == "报表")["revoked"]
    assert Api(fresh, "lin", WRITE).post("/tokens", wanted).status_code == 403


def test_reasons_and_views_are_kept_as_on_the_desk(fresh: Desk) -> None:
    admin, lin = Api(fresh, "admin", WRITE), Api(fresh, "lin", WRITE)
    rows = lin.get("/reasons").json()
    assert [r["code"] for r in rows] == [r.code for r in review.REASONS]
    grown = [*rows, {"code": "12", "words": "已由市级兑现", "overrides": False, "retired": False}]
    assert lin.post("/reasons", grown).status_code == 403
    assert {r["code"] for r in admin.post("/reasons", grown).json()} >= {"12", "9"}
    assert admin.post("/reasons", rows[:-1]).status_code == 409, "其他 stays"
    views = lin.post("/views", {"name": "只差人工", "url": "/desk/matches?why=x"}).json()
    assert [v["name"] for v in lin.get("/views").json()] == ["只差人工"] and admin.get("/views").json() == []
    assert lin.post("/views", {"name": "外面", "url": "https://example.com/"}).status_code == 422
    assert admin.delete(f"/views/{views[0]['id']}").status_code == 200 and lin.get("/views").json()
    assert lin.delete(f"/views/{views[0]['id']}").status_code == 200 and lin.get("/views").json() == []


def test_a_disagreement_is_read_and_marked_as_seen(fresh: Desk) -> None:
    office, api = fresh.app.state.office, Api(fresh, "fen", WRITE)
    hit = office.hits(office.night(), "bs-2025-04/steady-growth").iloc[0]
    one = doubts.Doubt(
        "bs-2025-04/steady-growth", "稳增长", str(hit["统一社会信用代码"]), "某企业", "industrial", "工业", "工业企业",
        "规则判符合，文字不像", 0.02, 3e5, "C2922", "",
    )  # fmt: skip
    night = office.night()
    office.memory.put(("doubts", night.no), doubts.Queue(night.no, night.as_of, [one]))
    told = api.get("/doubts").json()
    (row,) = told["rows"]
    assert (told["looked"], told["as_of"]) == (night.no, night.as_of.isoformat())
    assert row["code"] == one.code and row["seen"] == ""
    said = {"item": one.item, "code": one.code, "text": "行业代码登记错了"}
    assert api.post("/doubts", said).status_code == 201
    assert api.get("/doubts").json()["rows"][0]["seen"] == "行业代码登记错了"


def test_a_batch_that_is_none_has_no_rejected_rows_to_tell(desk: Desk) -> None:
    api = Api(desk, "admin", WRITE)
    answer = api.get("/batches/987654/troubles")
    assert answer.status_code == 404 and answer.json() == {"detail": "没有第987654批"}
    newest = api.get("/batches").json()["rows"]
    assert all(api.get(f"/batches/{b['id']}/troubles").status_code == 200 for b in newest[:1])
