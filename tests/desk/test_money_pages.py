"""钱和推送的页: dead letters sent again, jobs, arrears, the quarter's sheet, finance's file, readiness."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from urllib.parse import unquote

import openpyxl
from world import AS_OF, NOW

from desk.pages.fulfil import books, load_of
from jobs.readiness import of_night
from policies.readiness import TESTS
from store import arrears, caseload, grants, leases, ledger, outbox, pushes
from store.calendars import office_calendar
from store.grants import Actor, NewGrant
from store.nights import latest_night, set_state

CODE = "91110000600037341L"


def page_of(desk, who: str, path: str) -> str:
    answer = desk.client(who).get(path)
    assert answer.status_code == 200, answer.text[:500]
    return answer.text


def hand_in(desk, who: str, files: dict):
    data = {"csrf": desk.csrf(who)}
    return desk.client(who).post("/desk/fulfil/reconcile", data=data, files=files)


def push(desk, n: int, state: str = "dead", reason: str = "对方不收：HTTP 422") -> str:
    key = outbox.push_key(f"F{n}", "d/i", "2026", "webhook", "inform", 1)
    with outbox.writing(desk.engine) as opened:
        opened.add(
            outbox.Push(key=key, firm=CODE, item="d/i", batch="2026", channel="webhook", kind="inform", state=state,
                        reason=reason, next_at=NOW, created=NOW, subject=f"标题{n}", body='{"text": "正文"}', attempts=3)
        )  # fmt: skip
    return key


def test_dead_letters_are_sent_again_by_who_may(fresh):
    keys = [push(fresh, n) for n in range(3)]
    page = page_of(fresh, "lin", "/desk/push?state=dead")
    assert "HTTP 422" in page and "重发选中的" in page and "正文" in page
    assert "重发选中的" not in page_of(fresh, "kan", "/desk/push?state=dead")
    assert fresh.post("kan", "/desk/push", pick=keys[:1]).status_code == 403
    told = fresh.post("lin", "/desk/push", pick=[keys[0], "nothing"])
    assert told.status_code == 303
    states = {p.key: (p.state, p.attempts) for p in outbox.list_pushes(fresh.engine)}
    assert states == {keys[0]: ("due", 0), keys[1]: ("dead", 3), keys[2]: ("dead", 3)}
    assert "人工重发" in page_of(fresh, "lin", "/desk/push?state=due")


def test_a_channel_that_never_sent_anything_is_said_to_be_so(fresh):
    """7,843 waited “for the next round” of a receiver that nobody had set up."""
    said = "系统接口 2 条从没发出过"
    for n in (1, 2):
        push(fresh, n, "due", "")
    pages = ("/desk/push", "/desk/today")
    assert all(said not in page_of(fresh, "lin", p) for p in pages), "no round has run yet"
    with outbox.writing(fresh.engine) as opened:
        row = {
            "firm": CODE,
            "item": "d/i",
            "batch": "2026",
            "channel": "inbox",
            "kind": "inform",
            "state": "sent",
        }
        opened.add(outbox.Push(key="told", **row, next_at=NOW, created=NOW, subject="标题", body="{}"))
    assert all(said in page_of(fresh, "lin", p) for p in pages)
    push(fresh, 3, "sent", "")
    assert all("从没发出过" not in page_of(fresh, "lin", p) for p in pages)
    assert "下一轮发出" in page_of(fresh, "lin", "/desk/today")


def test_pushes_are_read_firm_by_firm_and_none_is_missed(fresh):
    for n in range(9):
        firm = f"9111000060003{n // 2:04d}L"
        for channel in ("webhook", "inbox"):
            key = outbox.push_key(firm, f"d/{n}", "2026", channel, "inform", 1)
            with outbox.writing(fresh.engine) as opened:
                opened.add(
                    outbox.Push(key=key, firm=firm, item=f"d/{n}", batch="2026", channel=channel, kind="inform", state="due",
                                next_at=NOW, created=NOW, subject="标题", body="{}")
                )  # fmt: skip
    seen, after = [], ""
    while True:
        rows, onward = outbox.pushes_after(fresh.engine, "due", after, 3)
        seen += [(p.firm, p.item, p.channel) for p in rows]
        assert not onward or rows[-1].firm == onward
        if not onward:
            break
        after = onward
    assert len(seen) == 18 and seen == sorted(seen) and len(set(seen)) == 18
    part, _ = outbox.pushes_after(fresh.engine, "due", "", 50, channels=["inbox"], items=["d/1", "d/8"])
    assert [(p.item, p.channel) for p in part] == [("d/1", "inbox"), ("d/8", "inbox")]
    assert outbox.counts(fresh.engine, ["d/1"]) == {("inbox", "due"): 1, ("webhook", "due"): 1}
    assert "往后看" not in page_of(fresh, "lin", "/desk/push") and "标题" in page_of(
        fresh, "lin", "/desk/push"
    )


def test_each_run_of_a_job_is_on_a_page_with_its_log(fresh):
    leases.lead(fresh.engine, "schedule", "host:1:2", NOW)
    for job, outcome in (("night", "完成"), ("check", "失败")):
        leases.begin(fresh.engine, job, NOW, "host:1:2", NOW)
        leases.finish(fresh.engine, job, NOW, outcome, f"{job}的记录", NOW)
    page = page_of(fresh, "lin", "/desk/jobs")
    for words in ("night的记录", "check的记录", "失败", "host:1:2", "还没有办过"):
        assert words in page, words
    assert "check的记录" not in page_of(fresh, "lin", "/desk/jobs?job=night").split("经过")[1]


def paying(desk) -> grants.GrantCase:
    calendar = office_calendar(desk.engine)
    grants.open_grants(
        desk.engine, [NewGrant(CODE, "甲公司", "d/i", "2026", "奖励", "经发局", "免申即享", 100_00, 100_00)],
        AS_OF - timedelta(days=40), NOW, calendar,
    )  # fmt: skip
    case = grants.find(desk.engine)[0]
    day = AS_OF - timedelta(days=30)
    for action, role, facts in (
        ("通过名单", "经办", {"核定金额": 100_00}), ("信用通过", "经办", {"信用查询日期": "x", "公示地址": "y"}),
        ("公示期满", "系统", {}), ("确认", "企业", {"户名": "甲公司", "账号": "1", "开户行": "b", "确认人": "c"}),
        ("财政通过", "财政", {}),
    ):  # fmt: skip
        day = day + timedelta(days=12) if action == "公示期满" else day
        case = grants.act(desk.engine, case.id, action, Actor("某", role), day, NOW, calendar, facts)
    return case


def test_what_a_firm_lacks_is_named_one_by_one(fresh):
    case = paying(fresh)
    calendar = office_calendar(fresh.engine)
    grants.open_grants(
        fresh.engine,
        [NewGrant("X", "乙", "d/i", "2026", "奖励", "经发局", "免申即享", 100, 100)],
        AS_OF,
        NOW,
        calendar,
    )
    listed = grants.find(fresh.engine, code="X")[0]
    form = {"do": "退回补正", "fact.缺项": "审计报告、合同；承诺书"}
    assert fresh.post("lin", f"/desk/fulfil/{listed.id}", **form).status_code == 303
    assert grants.find(fresh.engine, code="X")[0].asked == ["审计报告", "合同", "承诺书"]
    page = page_of(fresh, "lin", f"/desk/fulfil/{listed.id}")
    assert "<dt>缺项</dt><dd>审计报告、合同、承诺书</dd>" in page and "[&#39;" not in page
    assert 'value="提请"' in page and 'value="退回提请"' not in page  # nobody has asked for anything yet
    letter = outbox.list_pushes(fresh.engine, firm="X", channel="inbox")[0]
    assert letter.kind.startswith("return-") and "· 承诺书" in letter.body and case.id != listed.id


def test_a_sum_that_a_step_was_given_is_shown_in_yuan(fresh):
    case = paying(fresh)
    page = page_of(fresh, "cai", f"/desk/fulfil/{case.id}")
    assert "<dt>核定金额</dt><dd>100.00 元</dd>" in page


def test_arrears_show_late_grants_and_registered_claims(fresh):
    paying(fresh)
    claim = arrears.ArrearsClaim(
        kind="保证金", code=CODE, firm="乙公司", department="住建局", contract="BZ-1", fen=80_00,
        due_on=AS_OF - timedelta(days=400), registered=NOW,
    )  # fmt: skip
    arrears.register_claim(fresh.engine, claim, "钱", AS_OF, NOW)
    page = page_of(fresh, "cai", "/desk/fulfil/arrears?by=kind")
    for words in ("BZ-1", "保证金", "奖补", "180.00", "400 天"):
        assert words in page, words


def test_finance_hands_in_its_file_and_what_differs_stays_on_the_page(fresh):
    case = paying(fresh)
    rows = f"流水号,统一社会信用代码,事项,金额(元),支付日期,状态\nS1,{CODE},d/i,100.00,2026-06-12,成功\n"
    more = rows + f"S2,{CODE},d/i,5,2026-06-12,成功\n"
    files = {"file": ("88.csv", more.encode("gb18030"), "text/csv")}
    assert hand_in(fresh, "lin", files).status_code == 403
    for _ in range(2):
        assert hand_in(fresh, "cai", files).status_code == 303
    assert grants.find(fresh.engine, code=CODE)[0].state == "到账"
    page = page_of(fresh, "cai", "/desk/fulfil")
    assert "S2" in page and "对不上" in page and "88.csv" in page
    again = {"file": ("89.csv", rows.replace("06-12", "06-05").encode(), "text/csv")}
    hand_in(fresh, "cai", again)
    page = page_of(fresh, "cai", "/desk/fulfil")
    assert "改早" in page and "2026-06-05" in page
    assert case.id and ledger.verify_ledger(fresh.engine) == []
    bad = {"file": ("x.xlsx", b"no", "text/csv")}
    assert "没有对账：x.xlsx：" in unquote(hand_in(fresh, "cai", bad).headers["location"])
    assert "应享未享" in page_of(fresh, "cai", "/desk/fulfil/kpi")


def test_the_desk_says_of_readiness_what_the_command_says(desk):
    night = latest_night(desk.engine, desk.home)
    page = page_of(desk, "lin", "/desk/readiness")
    answer = desk.client("lin").get("/desk/readiness.xlsx")
    sheet = openpyxl.load_workbook(BytesIO(answer.content)).active
    whole = list(sheet.iter_rows(values_only=True))
    rows = {r[0]: r for r in whole if r[0] and "/" in str(r[0])}
    advice = next(r for r in whole if r[0] == "事项编号").index("升降")
    found = of_night(night)
    assert len(found) >= 40
    for one in found:
        assert [rows[one.item][4 + i] == "过" for i in range(3)] == [one.passes(t) for t in TESTS], one.item
        assert rows[one.item][3] == one.works_as and one.title in page
        assert (rows[one.item][advice] == "要降级") == one.falls, one.item
    resting = [r for item, r in rows.items() if item not in {one.item for one in found}]
    assert any(r[2] == "免申即享" for r in resting) and any(r[advice] == "没比对" for r in resting)
    for row in resting:  # nothing of its data was measured: it was told to fall, and "now works as 免申即享"
        assert row[advice] in ("没比对", "差 1 项", "差 2 项") and row[6] == "不在受理窗口，没有比对", row
    assert f'要降级<span class="count">{sum(one.falls for one in found)}</span>' in page
    assert "现在按免申即享办" not in page


def test_releasing_a_held_night_queues_its_pushes(fresh):
    night = latest_night(fresh.engine, fresh.home)
    set_state(fresh.engine, night.no, "扣下", "符合企业数由 1 变为 100")
    assert pushes.queue_pushes(fresh.engine, latest_night(fresh.engine, fresh.home), AS_OF, NOW) == {
        "扣下": 1
    }
    assert fresh.post("shen", f"/desk/runs/{night.no}", why="核过").status_code == 303
    assert latest_night(fresh.engine, fresh.home).state == "放行"
    assert outbox.list_pushes(fresh.engine, limit=5)


def test_the_quarter_says_what_came_back_and_who_gave_up(fresh):
    page = page_of(fresh, "cai", "/desk/fulfil/kpi")
    assert "追回退款" in page and "企业放弃" in page


def test_the_whole_ledger_goes_out_in_portions_of_any_length(fresh):
    paying(fresh)
    calendar = office_calendar(fresh.engine)
    more = [
        NewGrant(f"X{n:05d}", "=乙&公司", "d/i", "2026", "奖励", "经发局", "免申即享", 100, 100)
        for n in range(30)
    ]
    grants.open_grants(fresh.engine, more, AS_OF, NOW, calendar)
    office = fresh.app.state.office
    visit = SimpleNamespace(person=SimpleNamespace(department="", roles=["管理员"], login="admin"))
    load = load_of(office, visit)
    assert sum(len(p) for p in caseload.each(fresh.engine, load, portion=7)) == caseload.how_many(
        fresh.engine, load
    )
    sheet = openpyxl.load_workbook(BytesIO(fresh.client("cai").get("/desk/fulfil.xlsx").content)).active
    rows = list(sheet.iter_rows(values_only=True))
    head = next(i for i, r in enumerate(rows) if r[1] == "统一社会信用代码")
    assert len(rows) - head - 1 == caseload.how_many(fresh.engine, load) == 31
    formula = next(c for r in sheet.iter_rows() for c in r if str(c.value).startswith("=乙"))
    assert formula.data_type == "s" and formula.value == "=乙&公司"
    assert sheet.auto_filter.ref == f"A{head + 1}:K{len(rows)}" and sheet.freeze_panes == f"C{head + 2}"


def test_whole_books_say_nothing(fresh):
    assert books(fresh.app.state.office)[0] == []
