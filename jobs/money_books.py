"""钱的表: the quarter's sheet, arrears and what is to be paid as workbooks that a finance clerk opens, sums and prints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from engine.grantmoves import State
from engine.instalments import kept_plan, open_by
from jobs.lists import open_workbook, write_sheet
from store import arrears as owed
from store.database import Engine
from store.grants import GrantCase, find
from store.kpi import GAVE_UP, WHOLE_CHAIN, Kpi, Quarter, Stood, figures

CODE = "统一社会信用代码"
WIDE = {CODE: 21, "企业名称": 34, "企业": 34, "事项": 30, "事项编号": 26, "部门": 16, "怎么算": 60, "指标": 16, "本季": 30, "合同或事项": 34,
        "原因": 20, "流水": 20, "户名": 34, "账号": 24, "开户行": 24, "期限说明": 40}  # fmt: skip


def yuan(fen: int | None) -> float | None:
    """元 of fen; None stays."""
    return None if fen is None else fen / 100


def share(value: float | None) -> str:
    """比例的话; — where there is nothing to divide by."""
    return "—" if value is None else f"{value:.1%}"


def kpi_rows(sheet: Kpi) -> list[tuple[str, str, str]]:
    """考核表的行: name, words, how it is reckoned."""
    chains = "、".join(f"{v} {n} 个工作日" for v, n in WHOLE_CHAIN.items())
    why = "；".join(f"{w} {n} 件" for w, n in sheet.why.items() if w != GAVE_UP)
    gave = sheet.why.get(GAVE_UP, 0)
    where = (
        f"第 {sheet.night} 次比对符合、有钱、没有让位，季末没有到账也没有在办的"
        if sheet.night
        else "本季没有比对，只数在等的"
    )
    return [
        ("立项", f"{sheet.opened} 件", "本季立项的兑现事项"),
        ("到账", f"{sheet.arrived} 件，{sheet.fen / 100:,.2f} 元", "件：最后一笔在本季到账的；元：本季到账减去到账后退回的"),
        ("追回退款", f"{sheet.back / 100:,.2f} 元", "本季企业退回的"),
        ("兑现率", share(sheet.rate), "本季立项的里面，季末已有钱到账的"),
        ("按时率", share(sheet.on_time), f"从立项到到账以内：{chains}；分期的看最后一期的日子"),
        ("承诺按时率", share(sheet.kept), f"在事项自己写的兑现时限内到账，从企业确认或提交起；有承诺的 {sheet.promises} 件"),
        ("免申即享占比", share(sheet.automatic), "本季到账的里面不用申请的"),
        ("平均天数", "—" if sheet.days is None else f"{sheet.days} 个工作日", "从立项到最后一笔到账"),
        ("应享未享", f"{sheet.unclaimed} 件，{sheet.unclaimed_fen / 100:,.2f} 元", f"{where}；金额待定的只计件{'。其中 ' + why if why else ''}"),
        ("企业放弃", f"{gave} 件", "符合而企业说不要的，不算应享未享"),
        ("工作日历不知道的", f"{sheet.unknown_days} 件", "跨了没有工作日历的年份，不计按时和天数"),
    ]  # fmt: skip


def write_kpi(found: Quarter, path: Path) -> None:
    """考核 Excel: the figures and how each is reckoned, by department, the grants paid, what was not claimed."""
    sheet = figures(found)
    rows = kpi_rows(sheet)
    note = ["按工作日计；每一件按季末的样子算，以后的事不影响"]
    with open_workbook(path) as book:
        frame = pd.DataFrame(rows, columns=["指标", "本季", "怎么算"])
        write_sheet(book, "考核", f"{found.name} 兑现考核", note, frame, WIDE)
        write_sheet(book, "按部门", f"{found.name} 按部门", note, _by(found, lambda s: s.department), WIDE)
        write_sheet(
            book,
            "按事项",
            f"{found.name} 按事项",
            note,
            _by(found, lambda s: s.title or s.item),
            WIDE,
        )
        write_sheet(
            book, "到账明细", f"{found.name} 到账 {len(found.paid)} 件", note, _paid(found.paid), WIDE
        )
        write_sheet(book, "应享未享", f"{found.name} 应享未享", [rows[7][2]], _unclaimed(found), WIDE)


def _by(found: Quarter, name: Callable[[Stood], str]) -> pd.DataFrame:
    groups = sorted({name(s) for s in (*found.begun, *found.paid)})
    rows = []
    for group in groups:
        begun = [s for s in found.begun if name(s) == group]
        paid = [s for s in found.paid if name(s) == group]
        came = sum(s.arrived > 0 for s in begun)
        timed = [s for s in paid if s.on_time is not None]
        rows.append(
            (group, len(begun), came, share(came / len(begun) if begun else None), len(paid),
             yuan(sum(s.arrived for s in paid)), share(sum(bool(s.on_time) for s in timed) / len(timed) if timed else None))
        )  # fmt: skip
    names = ["名称", "立项件", "其中已有钱到账件", "兑现率", "到账件", "到账（元）", "按时率"]
    return pd.DataFrame(rows, columns=names)


def _paid(paid: Iterable[Stood]) -> pd.DataFrame:
    words = {True: "按时", False: "超时", None: "不知道"}
    rows = [
        (s.id, s.code, s.firm, s.title or s.item, s.batch, s.department, s.variant,
         s.opened.isoformat(), s.finished.isoformat() if s.finished else "", s.days, words[s.on_time], yuan(s.arrived))
        for s in paid
    ]  # fmt: skip
    names = [
        "编号",
        CODE,
        "企业名称",
        "事项",
        "批次",
        "部门",
        "兑现方式",
        "立项日",
        "到账日",
        "工作日",
        "是否按时",
        "到账（元）",
    ]
    return pd.DataFrame(
        rows, columns=names, dtype=object
    )  # else an unknown number of days makes decimals of all


def _unclaimed(found: Quarter) -> pd.DataFrame:
    rows = [
        (u.code, u.firm, u.title or u.item, u.item, u.department, u.why, yuan(u.fen))
        for u in found.unclaimed()
    ]
    return pd.DataFrame(rows, columns=[CODE, "企业名称", "事项", "事项编号", "部门", "原因", "金额（元）"])


def write_arrears(found: Sequence[owed.Arrear], unknown: Sequence[GrantCase], day: date, path: Path) -> None:
    """拖欠 Excel: one line each, sums by age, department, firm and kind, and what has no day: said, not counted as in time."""
    total = f"共 {len(found)} 笔 {sum(a.fen for a in found) / 100:,.2f} 元"
    lines = [
        (a.kind, a.code, a.firm, a.department, a.what, yuan(a.fen), a.due_on.isoformat(), a.days, a.age, a.grant or a.claim)
        for a in found
    ]  # fmt: skip
    names = [
        "种类",
        CODE,
        "企业名称",
        "部门",
        "合同或事项",
        "金额（元）",
        "应付日",
        "逾期天数",
        "账龄",
        "编号",
    ]
    with open_workbook(path) as book:
        write_sheet(book, "拖欠明细", f"拖欠 {day}", [total], pd.DataFrame(lines, columns=names), WIDE)
        for by, title in (("age", "账龄"), ("department", "部门"), ("firm", "企业"), ("kind", "种类")):
            sums = [
                (n, c, yuan(f))
                for n, (c, f) in sorted(owed.summary(found, by).items(), key=lambda s: -s[1][1])
            ]
            frame = pd.DataFrame(sums, columns=[title, "笔数", "金额（元）"])
            write_sheet(book, f"按{title}", f"拖欠按{title} {day}", [total], frame, WIDE)
        rest = [
            (c.id, c.code, c.firm, c.title or c.item, yuan(c.reserved + c.ordered), c.due_note)
            for c in unknown
        ]
        frame = pd.DataFrame(rest, columns=["编号", CODE, "企业名称", "事项", "金额（元）", "期限说明"])
        write_sheet(book, "期限不明", "期限不明的在办资金", ["没有期限的不算按时，也不算拖欠"], frame, WIDE)


def payable(engine: Engine, day: date) -> list[tuple[GrantCase, int]]:
    """要付的: grants in 拨付 and the fen that may go out by a day, of parts only those whose day has come."""
    found = []
    for case in find(engine, states=[State.PAYING], order="due"):
        parts = kept_plan(case.facts.get("分期"))
        fen = (
            min(case.reserved, max(0, open_by(parts, day) - case.arrived - case.ordered))
            if parts
            else case.reserved
        )
        if fen:
            found.append((case, fen))
    return found


def write_paylist(found: Sequence[tuple[GrantCase, int]], day: date, path: Path) -> None:
    """付款清单 Excel: to whom, how much, on which account; a second sheet adds up by item."""
    names = ["编号", CODE, "企业名称", "事项编号", "事项", "金额（元）", "户名", "账号", "开户行", "应付日"]
    rows = [
        (c.id, c.code, c.firm, c.item, c.title or c.item, yuan(fen), *(str(c.facts.get(n, "")) for n in ("户名", "账号", "开户行")),
         c.due.isoformat() if c.due else c.due_note)
        for c, fen in found
    ]  # fmt: skip
    frame: Any = pd.DataFrame(rows, columns=names)
    total = f"{len(found)} 笔，{sum(f for _, f in found) / 100:,.2f} 元"
    with open_workbook(path) as book:
        write_sheet(book, "付款清单", f"付款清单 {day}", [total], frame, WIDE)
        sums = frame.groupby(["事项编号", "事项"], as_index=False).agg(
            笔数=("编号", "count"), 金额=("金额（元）", "sum")
        )
        write_sheet(
            book, "按事项", f"付款按事项 {day}", [total], sums.rename(columns={"金额": "金额（元）"}), WIDE
        )
