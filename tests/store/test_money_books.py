"""对账、拖欠、考核、主班、把关."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from engine.columns import Columns
from engine.grantmoves import AUTOMATIC, State
from jobs.fulfil import paid_facts
from profiles.dictionary import builtin_dictionary
from store import arrears, budgets, grants, guard, kpi, leases, ledger, payments
from store.calendars import enter_year, office_calendar
from store.grants import Actor, NewGrant

D, AT = date(2026, 6, 1), datetime(2026, 6, 1, 1, tzinfo=UTC)
HEAD = "流水号,统一社会信用代码,事项,金额(元),支付日期,状态\n"
ACCOUNT = {"户名": "甲", "账号": "6222", "开户行": "银行", "确认人": "张"}


def paying(engine, codes: str, fen: int = 100_00) -> None:
    calendar = office_calendar(engine)
    found = [NewGrant(c, "甲", "d/i", "2026", "奖", "经发局", AUTOMATIC, fen, fen) for c in codes]
    grants.open_grants(engine, found, date(2026, 6, 1), AT, calendar)
    steps = [
        ("通过名单", "经办", date(2026, 6, 1), {"核定金额": fen}),
        ("信用通过", "经办", date(2026, 6, 1), {"信用查询日期": "x", "公示地址": "y"}),
        ("公示期满", "系统", date(2026, 6, 9), {}),
        ("确认", "企业", date(2026, 6, 9), ACCOUNT),
        ("财政通过", "财政", date(2026, 6, 10), {}),
    ]
    for case in grants.find(engine):
        for action, role, day, facts in steps:
            grants.act(engine, case.id, action, Actor("某", role), day, AT, calendar, facts)


def log(tmp_path, name: str, *lines: str):
    path = tmp_path / name
    path.write_text(HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8-sig")
    return path


def test_a_payment_file_pays_once_and_its_faults_are_listed(engine, tmp_path):
    paying(engine, "ABC")
    path = log(
        tmp_path, "87.csv", "S1,A,,100.00,2026-06-12,成功", "S2,B,d/i,40.00,2026-06-12,成功", "S3,Z,,5,2026-06-12,成功",
        "S4,C,,1.005,2026-06-12,成功", "S5,C,,100.00,06-12,成功", "S1,A,,100.00,2026-06-12,成功",
    )  # fmt: skip
    calendar = office_calendar(engine)
    for _ in range(2):
        report = payments.reconcile(engine, path, AT, calendar)
        assert report.counts == {"已记": 2, "对不上": 1}
        assert len(report.rejected) == 3 and "87.csv:5" in report.rejected[0]
        assert "第 4 行" in report.unmatched[0]
    assert [(c.state, c.arrived) for c in grants.find(engine)] == [
        ("到账", 100_00),
        ("拨付", 40_00),
        ("拨付", 0),
    ]
    assert ledger.verify_ledger(engine) == []


def test_rows_that_vanish_move_or_change_between_files_are_named(engine, tmp_path):
    paying(engine, "ABCD")
    calendar = office_calendar(engine)
    rows = [f"S{c},{c},,100.00,2026-06-12,成功" for c in "ABCD"]
    payments.reconcile(engine, log(tmp_path, "87.csv", *rows), AT, calendar)
    changed = ["SA,A,,100.00,2026-06-05,成功", "SB,B,,90.00,2026-06-12,成功", rows[2]]
    report = payments.reconcile(engine, log(tmp_path, "88.csv", *changed), AT, calendar)
    assert [d[:3] for d in report.differences] == ["改早：", "改动：", "不见了"]
    assert "金额不同" in report.unmatched[0] and not report.clean
    assert {c.arrived for c in grants.find(engine)} == {100_00}


def test_a_bounced_payment_returns_to_what_is_promised(engine, tmp_path):
    paying(engine, "A")
    calendar = office_calendar(engine)
    case = grants.find(engine)[0]
    facts = {"支付金额": 100_00, "流水号": "S1"}
    grants.act(engine, case.id, "下达", Actor("钱", "财政"), date(2026, 6, 11), AT, calendar, facts)
    report = payments.reconcile(engine, log(tmp_path, "1.csv", "S1,A,,100.00,2026-06-12,退票"), AT, calendar)
    assert report.counts == {"已记": 1}
    assert grants.find(engine)[0].reserved == 100_00
    with pytest.raises(ValueError, match="缺这些列"):
        (tmp_path / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
        payments.reconcile(engine, tmp_path / "bad.csv", AT, calendar)


def claim(**kw) -> arrears.ArrearsClaim:
    base = {
        "kind": "合同款",
        "code": "X",
        "firm": "乙",
        "department": "住建局",
        "contract": "HT-1",
        "fen": 500_00,
    }
    return arrears.ArrearsClaim(**{**base, "due_on": date(2026, 1, 10), "registered": AT, **kw})


def test_arrears_by_age_and_department_with_contract_money_and_deposits(engine):
    paying(engine, "A")
    arrears.register_claim(engine, claim(), "钱", date(2026, 6, 1), AT)
    deposit = claim(kind="保证金", contract="BZ-1", fen=80_00, due_on=date(2025, 1, 1))
    kept = arrears.register_claim(engine, deposit, "钱", date(2026, 6, 1), AT)
    found = arrears.arrears(engine, date(2026, 7, 1))
    assert [(a.kind, a.age, a.fen) for a in found] == [
        ("保证金", "一年以上", 80_00), ("合同款", "91至180天", 500_00), ("奖补", "30天以内", 100_00),
    ]  # fmt: skip
    assert arrears.summary(found, "department") == {"住建局": (2, 580_00), "经发局": (1, 100_00)}
    with pytest.raises(ValueError, match="流水号"):
        arrears.settle_claim(engine, kept.id, 80_00, "钱", date(2026, 7, 1), AT, ref="")
    arrears.settle_claim(engine, kept.id, 80_00, "钱", date(2026, 6, 2), AT, ref="8800-9")
    assert len(arrears.arrears(engine, date(2026, 7, 1))) == 2
    assert ledger.verify_ledger(engine) == []
    with pytest.raises(ValueError, match="登记过"):
        arrears.register_claim(engine, claim(), "钱", date(2026, 6, 1), AT)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("DELETE FROM arrears_claim", "消失"),
        ("UPDATE arrears_claim SET settled = 50000", "不平"),
    ],
)
def test_a_deleted_or_falsely_settled_claim_is_found(engine, sql: str, kind: str):
    from sqlalchemy import text

    arrears.register_claim(engine, claim(), "钱", date(2026, 6, 1), AT)
    with engine.begin() as connection:
        connection.execute(text(sql))
    assert kind in {f.kind for f in ledger.verify_ledger(engine)}


def test_the_quarters_sheet(engine, tmp_path):
    paying(engine, "ABCD")
    calendar = office_calendar(engine)
    rows = [f"S{c},{c},,100.00,2026-06-12,成功" for c in "ABC"]
    payments.reconcile(engine, log(tmp_path, "1.csv", *rows), AT, calendar)
    sheet = kpi.kpi(engine, "2026Q2", calendar)
    assert (sheet.opened, sheet.arrived, sheet.fen, sheet.rate, sheet.on_time) == (4, 3, 300_00, 0.75, 1.0)
    assert (sheet.days, sheet.automatic, sheet.unclaimed) == (9.0, 1.0, 0)
    assert kpi.quarter_of("2026q4") == (date(2026, 10, 1), date(2026, 12, 31))
    with pytest.raises(ValueError, match="2026Q2"):
        kpi.quarter_of("2026-2")


def test_the_office_enters_next_years_calendar(engine):
    calendar = office_calendar(engine)
    with pytest.raises(ValueError, match="2027"):
        calendar.add(date(2026, 12, 31), 1)
    enter_year(engine, 2027, frozenset({date(2027, 1, 1)}), frozenset(), "管", AT)
    assert office_calendar(engine).add(date(2026, 12, 31), 1) == date(2027, 1, 4)


def test_one_leads_and_another_takes_over_when_its_lease_ends(engine):
    assert leases.lead(engine, "schedule", "a", AT) and leases.lead(engine, "schedule", "a", AT)
    assert not leases.lead(engine, "schedule", "b", AT + leases.LENGTH / 2)
    assert leases.lead(engine, "schedule", "b", AT + leases.LENGTH * 2)
    assert not leases.lead(engine, "schedule", "a", AT + leases.LENGTH * 2)
    assert leases.lead(engine, "schedule", "a", AT - timedelta(days=1))  # the clock was set back
    leases.leave(engine, "schedule", "a")
    assert leases.lead(engine, "schedule", "c", AT)


def test_a_planned_run_is_done_once_and_taken_up_again_where_it_broke_off(engine):
    leases.lead(engine, "schedule", "a", AT)
    assert leases.begin(engine, "night", AT, "a", AT)
    assert not leases.begin(engine, "night", AT, "b", AT + timedelta(seconds=30))
    later = AT + timedelta(minutes=5)
    assert leases.begin(engine, "night", AT, "b", later)
    leases.finish(engine, "night", AT, leases.DONE, "好", later)
    assert not leases.begin(engine, "night", AT, "c", later + timedelta(days=1))
    assert [(r.outcome, r.tries) for r in leases.runs(engine, "night")] == [("完成", 2)]


class Night(SimpleNamespace):
    """As much of a night as the guard looks at."""

    def items(self):
        return pd.DataFrame(self.rows)

    def columns(self):
        return self.data

    def library(self):
        return SimpleNamespace(program=lambda item: None)


def night(no: int, fits: int, open_: int, known: float, state: str = "完成") -> Night:
    rows = [{"item": "d/i", "batch": "2026", "fits": fits, "open": open_, "pairs": 1000}]
    values = np.where(np.arange(1000) < known * 1000, 1.0, np.nan)
    data = Columns([str(i) for i in range(1000)], builtin_dictionary(), {("研发费用", 2025): values})
    counts = {"firms": 1000, "pairs": 1000, "open": open_, "high_fen": fits * 100_000_00}
    run = SimpleNamespace(library_hash="a", held_because="")
    return Night(no=no, rows=rows, data=data, counts=counts, state=state, run=run)


def test_a_night_that_jumps_is_held_and_its_source_named():
    past = [night(n, 100 + n, 300, 0.9) for n in range(5, 0, -1)]
    assert guard.jumps(night(6, 110, 310, 0.9), past, guard.Limits()) == []
    found = guard.jumps(night(6, 20, 600, 0.2), past, guard.Limits())
    words = "；".join(j.words() for j in found)
    assert {j.what for j in found} == {"符合企业数", "待核实占比", "符合的金额"}
    assert "研发费用（" in words and "齐全率由 90% 变为 20%" in words
    assert guard.jumps(night(6, 20, 600, 0.2), [], guard.Limits()) == []
    held = [night(5, 10, 600, 0.2, guard.HELD), *past]
    assert guard.jumps(night(6, 105, 300, 0.9), held, guard.Limits()) == []


def shelf(*, closes: date, name: str = "2026", status: str = "有效") -> SimpleNamespace:
    """A library of one item."""
    batch = SimpleNamespace(name=name, opens=date(2026, 1, 1), closes=closes)
    batches = {name: batch}
    item = SimpleNamespace(status=status, batch=batches.get)
    return SimpleNamespace(program=lambda _: SimpleNamespace(item=item))


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        (shelf(closes=date(2026, 12, 31)), SimpleNamespace(program=lambda _: None), "没有这一项了"),
        (shelf(closes=date(2026, 12, 31)), shelf(closes=date(2026, 12, 31), status="暂停"), "改成了“暂停”"),
        (
            shelf(closes=date(2026, 12, 31)),
            shelf(closes=date(2026, 12, 31), name="2027"),
            "没有“2026”这个批次",
        ),
        (
            shelf(closes=date(2026, 12, 31)),
            shelf(closes=date(2026, 5, 31)),
            "规则改成了 2026-01-01 至 2026-05-31",
        ),
        (shelf(closes=D), SimpleNamespace(program=lambda _: None), ""),
    ],
    ids=["gone", "halted", "renamed", "shortened", "closed as planned"],
)
def test_an_item_that_vanishes_before_its_time_holds_the_night(before, after, cause: str):
    past = [night(n, 100, 300, 0.9) for n in range(3, 0, -1)]
    tonight = night(4, 100, 300, 0.9)
    tonight.rows, tonight.as_of = [], D + timedelta(days=1)
    tonight.library, past[0].library = (lambda: after), (lambda: before)
    found = guard.jumps(tonight, past, guard.Limits())
    assert [(j.what, j.item, j.before, j.after) for j in found] == (
        [("符合企业数", "d/i", 100.0, 0.0)] if cause else []
    )
    assert all(cause in j.words() for j in found)


# ---------------------------------------------------------------- the audits' findings, as tests


def test_money_that_comes_back_after_it_arrived_is_owed_again(engine, tmp_path):
    paying(engine, "A")
    budgets.set_budget(engine, "d/i", "2026", 500_00, budgets.OPEN, who="钱", on=D, at=AT)
    calendar = office_calendar(engine)
    payments.reconcile(engine, log(tmp_path, "1.csv", "S1,A,,100.00,2026-06-12,成功"), AT, calendar)
    assert grants.find(engine)[0].state == "到账"
    for _ in range(2):
        back = payments.reconcile(
            engine, log(tmp_path, "2.csv", "S1,A,,100.00,2026-06-15,退票"), AT, calendar
        )
        assert back.counts == {"已记": 1}
    case = grants.find(engine)[0]
    assert (case.state, case.arrived, case.reserved) == ("拨付", 0, 100_00)
    assert list(paid_facts(engine)) == [("A", "甲", 2026, 0, "d/i")] and kpi.paid_by_item(engine) == []
    again = payments.reconcile(engine, log(tmp_path, "3.csv", "S2,A,,100.00,2026-06-16,成功"), AT, calendar)
    assert again.counts == {"已记": 1} and grants.find(engine)[0].arrived == 100_00
    assert [f for f in ledger.verify_ledger(engine) if f.kind != "不平" or "预算" not in f.text] == []


def test_the_same_grant_paid_again_from_elsewhere_is_named_as_paid_twice(engine, tmp_path):
    paying(engine, "A")
    calendar = office_calendar(engine)
    payments.reconcile(engine, log(tmp_path, "区.csv", "Q1,A,d/i,100.00,2026-06-12,成功"), AT, calendar)
    other = payments.reconcile(
        engine, log(tmp_path, "市.csv", "C9,A,d/i,100.00,2026-06-20,成功"), AT, calendar
    )
    assert (
        other.counts == {"对不上": 1}
        and "疑似重复支付：第 1 号兑现事项（奖）2026-06-12 已由流水 Q1 到账" in other.unmatched[0]
    )
    assert grants.find(engine)[0].arrived == 100_00 and ledger.verify_ledger(engine) == []


def settle(engine, number: int, fen: int, ref: str):
    return arrears.settle_claim(engine, number, fen, "钱", date(2026, 6, 12), AT, ref=ref)


def test_a_repayment_that_finance_knows_nothing_of_is_named(engine, tmp_path):
    calendar = office_calendar(engine)
    one = arrears.register_claim(engine, claim(code="A"), "钱", D, AT)
    two = arrears.register_claim(engine, claim(code="B", contract="HT-2"), "钱", D, AT)
    settle(engine, one.id, 300_00, "S1")
    settle(engine, two.id, 500_00, "S7")
    assert (
        payments.standing(engine) == [] and payments.unproven(engine) == []
    )  # no file yet: nobody is accused
    payments.reconcile(engine, log(tmp_path, "1.csv", "S1,A,,300.00,2026-06-12,成功"), AT, calendar)
    (found,) = payments.standing(engine)
    assert "清偿没有凭据：欠款|合同款|B|HT-2 2026-06-12 记清偿 500.00 元，流水 S7" in found
    for name, row, told in (
        ("2.csv", "S7,C,,500.00,2026-06-12,成功", "这笔付给了 C，却清偿了"),
        ("3.csv", "S7,B,,400.00,2026-06-12,成功", "清偿记了 500.00 元，支付日志只有 400.00 元"),
        ("4.csv", "S7,B,,500.00,2026-06-13,退票", "清偿欠款用的流水已退票"),
    ):
        report = payments.reconcile(engine, log(tmp_path, name, row), AT, calendar)
        assert report.counts == {"对不上": 1} and told in report.unmatched[0]
    good = payments.reconcile(engine, log(tmp_path, "5.csv", "S7,B,,800.00,2026-06-12,成功"), AT, calendar)
    assert good.counts == {"已记": 1} and payments.unproven(engine) == []


def test_one_bank_payment_is_not_two_repayments(engine, tmp_path):
    paying(engine, "A")
    payments.reconcile(
        engine, log(tmp_path, "1.csv", "S1,A,,100.00,2026-06-12,成功"), AT, office_calendar(engine)
    )
    first, second, other = (
        arrears.register_claim(engine, claim(code=code, contract=name), "钱", D, AT)
        for code, name in (("A", "HT-1"), ("A", "HT-2"), ("B", "HT-3"))
    )
    with pytest.raises(ValueError, match="S1 是第 1 号兑现事项的到账"):
        settle(engine, first.id, 100_00, "S1")
    settle(engine, first.id, 100_00, "S5")
    settle(engine, second.id, 100_00, "S5")  # one transfer for two contracts of a firm
    for number in (first.id, other.id):
        with pytest.raises(ValueError, match="S5 已经清偿过"):
            settle(engine, number, 100_00, "S5")
    assert ledger.verify_ledger(engine) == []


@pytest.mark.parametrize("deleted", ["grant_case", "grant_event", "both"])
def test_a_grant_deleted_before_any_money_moved_is_missed(engine, deleted: str):
    from sqlalchemy import text

    found = [NewGrant(c, "甲", "d/i", "2026", "奖", "经发局", AUTOMATIC, 100, 100) for c in "AB"]
    grants.open_grants(engine, found, D, AT, office_calendar(engine))
    ledger.seal(engine, D)
    assert ledger.verify_ledger(engine) == []
    with engine.begin() as connection:
        for table, key in (("grant_case", "id"), ("grant_event", "grant_id")):
            if deleted in (table, "both"):
                connection.execute(text(f"DELETE FROM {table} WHERE {key} = 2"))
    assert {f.kind for f in ledger.verify_ledger(engine)} == {"消失"}


def test_a_quarter_is_reckoned_as_it_stood_at_its_end(engine, tmp_path):
    paying(engine, "ABC")
    calendar = office_calendar(engine)
    new = [NewGrant(c, "乙", "d/i", "2026", "奖", "经发局", AUTOMATIC, 70_00, 70_00) for c in "DE"]
    grants.open_grants(engine, new, D, AT, calendar)
    payments.reconcile(
        engine,
        log(tmp_path, "1.csv", "S1,A,,100.00,2026-06-12,成功", "S2,B,,40.00,2026-06-12,成功"),
        AT,
        calendar,
    )
    gone = grants.find(engine, code="E")[0]
    grants.act(engine, gone.id, "放弃", Actor("E", "企业"), date(2026, 6, 20), AT, calendar, {"理由": "不要"})

    def told() -> kpi.Kpi:
        return kpi.kpi(engine, "2026Q2", calendar)

    before = told()
    assert (before.opened, before.arrived, before.fen, before.rate, before.why) == (
        5,
        1,
        140_00,
        0.4,
        {"企业放弃": 1},
    )
    assert (before.unclaimed, before.unclaimed_fen) == (0, 0)  # D is under way, E said no
    july = log(tmp_path, "2.csv", "S2b,B,,60.00,2026-07-03,成功", "S1,A,,100.00,2026-07-06,退票")
    payments.reconcile(engine, july, AT, calendar)
    late = grants.find(engine, code="D")[0]
    grants.act(engine, late.id, "放弃", Actor("D", "企业"), date(2026, 7, 10), AT, calendar, {"理由": "不要"})
    assert told() == before  # what came later is the next quarter's
    stood = {s.code: s.state for s in kpi.quarter_sheet(engine, "2026Q2", calendar).stood}
    assert (stood["D"], stood["E"]) == (late.state, State.DECLINED), "as it stood then, not as it stands now"
    after = kpi.kpi(engine, "2026Q3", calendar)
    assert (after.opened, after.arrived, after.fen) == (0, 1, 60_00 - 100_00)


def test_workbooks_of_money_add_up_and_say_what_is_not_known(engine, tmp_path):
    import openpyxl

    from jobs.money_books import payable, write_arrears, write_kpi, write_paylist

    paying(engine, "AB")
    calendar = office_calendar(engine)
    arrears.register_claim(engine, claim(firm="=1+1"), "钱", D, AT)
    write_paylist(payable(engine, date(2026, 6, 11)), date(2026, 6, 11), tmp_path / "p.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "p.xlsx")["付款清单"].iter_rows(values_only=True))
    assert [(r[1], r[5], r[7]) for r in rows[3:]] == [("A", 100.0, "6222"), ("B", 100.0, "6222")]
    day = date(2026, 7, 1)
    write_arrears(arrears.arrears(engine, day), arrears.undated(engine), day, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["拖欠明细", "按账龄", "按部门", "按企业", "按种类", "期限不明"]
    for name in book.sheetnames[1:5]:
        assert sum(r[2] for r in list(book[name].iter_rows(values_only=True))[3:]) == 700.0
    assert "=1+1" in [c.value for c in book["拖欠明细"]["C"]]
    payments.reconcile(engine, log(tmp_path, "1.csv", "S1,A,,100.00,2026-06-12,成功"), AT, calendar)
    write_kpi(kpi.quarter_sheet(engine, "2026Q2", calendar), tmp_path / "k.xlsx")
    book = openpyxl.load_workbook(tmp_path / "k.xlsx")
    sheet = {r[0]: r[1:] for r in book["考核"].iter_rows(values_only=True)}
    assert (
        sheet["到账"][0] == "1 件，100.00 元"
        and sheet["兑现率"][0] == "50.0%"
        and "只数在等的" in sheet["应享未享"][1]
    )
    assert [r[9:] for r in list(book["到账明细"].iter_rows(values_only=True))[3:]] == [(9, "按时", 100.0)]
