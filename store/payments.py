"""对账: finance's payment files beside the ledger: every row lands once, or is listed with what is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import UniqueConstraint, func
from sqlalchemy.engine import Engine
from sqlmodel import Field, Session, SQLModel, col, select

from engine.fulfilment import Refused
from engine.grantmoves import State
from engine.workdays import Calendar
from store import grants
from store.database import fen_column, id_column, session, utc_column, writing
from store.faults import point
from store.grants import Actor, GrantCase
from store.ledger import LedgerEntry, LedgerHead
from store.sheets import read_day, read_fen, read_rows

COLUMNS = ("流水号", "统一社会信用代码", "事项", "金额(元)", "支付日期", "状态")
PAID, BOUNCED = "成功", "退票"
FINANCE = Actor("财政支付日志", "财政")


class PaymentFile(SQLModel, table=True):
    """支付日志的一批: one file as it came, by its content."""

    __tablename__ = "payment_file"

    id: int | None = Field(default=None, sa_column=id_column())
    name: str = Field(max_length=200)
    sha256: str = Field(max_length=64, unique=True)
    at: datetime = Field(sa_column=utc_column())


class PaymentRow(SQLModel, table=True):
    """支付日志的一行 as one file had it, and what became of it."""

    __tablename__ = "payment_row"
    __table_args__ = (UniqueConstraint("file", "serial", name="uq_payment_row"),)

    id: int | None = Field(default=None, sa_column=id_column())
    file: int = Field(foreign_key="payment_file.id", index=True)
    line: int
    serial: str = Field(max_length=64, index=True)
    code: str = Field(max_length=18)
    item: str = Field(default="", max_length=128)
    fen: int = Field(sa_column=fen_column())
    paid_on: date
    status: str = Field(max_length=8)
    grant_id: int | None = None
    outcome: str = Field(default="待对", max_length=8)
    note: str = Field(default="", max_length=300)


@dataclass
class Reconciliation:
    """对账结果: rows by outcome, bad lines, and how this file differs from the last one."""

    file: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.rejected or self.differences or self.unmatched)


def reconcile(engine: Engine, path: Path, at: datetime, calendar: Calendar) -> Reconciliation:
    """对账: takes a payment file in, compares it with the one before, and moves the grants it pays.

    Safe to kill and to repeat: a row's serial number makes its payment happen once. Raises ValueError for a file
    that is no payment file.
    """
    report = Reconciliation(path.name)
    rows = list(_read(path, report))
    file_id = _take_in(engine, path, rows, at)
    point("payments.read")
    report.differences = _differences(engine, file_id)
    for row in _rows(engine, file_id):
        # What paid nothing we knew may do so now: a grant that meanwhile came to be paid.
        outcome = row.outcome if row.outcome == "已记" else _settle(engine, row, at, calendar)
        report.counts[outcome] = report.counts.get(outcome, 0) + 1
        point("payments.row")
    report.unmatched = [_line(r) for r in _rows(engine, file_id) if r.outcome == "对不上"]
    point("payments.done")
    return report


def _line(row: PaymentRow) -> str:
    return f"第 {row.line} 行，流水 {row.serial}，{row.code}，{row.fen / 100:,.2f} 元：{row.note}"


def _read(path: Path, report: Reconciliation) -> Iterator[dict[str, object]]:
    seen: set[str] = set()
    for line, cells in read_rows(path, COLUMNS, "支付日志"):
        try:
            row = _parse(cells)
            if row["serial"] in seen:
                raise ValueError(f"流水号 {row['serial']} 在本文件里重复")
        except ValueError as error:
            report.rejected.append(f"{path.name}:{line} {error}")
            continue
        seen.add(str(row["serial"]))
        yield {**row, "line": line}


def _parse(cells: dict[str, str]) -> dict[str, object]:
    if not cells["流水号"]:
        raise ValueError("要有流水号")
    if cells["状态"] not in (PAID, BOUNCED):
        raise ValueError(f"状态“{cells['状态']}”应当是 成功 或 退票")
    code = cells["统一社会信用代码"].upper()
    if len(code) > 18 or len(cells["流水号"]) > 64 or len(cells["事项"]) > 128:
        raise ValueError("代码、流水号或事项太长，可能错了列")
    return {
        "serial": cells["流水号"], "code": code, "item": cells["事项"], "fen": read_fen(cells["金额(元)"]),
        "paid_on": read_day(cells["支付日期"], "支付日期"), "status": cells["状态"],
    }  # fmt: skip


def _take_in(engine: Engine, path: Path, rows: list[dict[str, object]], at: datetime) -> int:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with writing(engine) as opened:
        # Two imports of one file: the second waits here, then finds the first one's rows.
        opened.exec(select(LedgerHead).where(LedgerHead.id == 1).with_for_update()).one()
        known = opened.exec(select(PaymentFile).where(PaymentFile.sha256 == digest)).first()
        if known is not None:
            return known.id or 0
        taken = PaymentFile(name=path.name, sha256=digest, at=at)
        opened.add(taken)
        opened.flush()
        opened.add_all([PaymentRow.model_validate({**row, "file": taken.id}) for row in rows])
        opened.flush()
        return taken.id or 0


def _rows(engine: Engine, file_id: int) -> list[PaymentRow]:
    with session(engine) as opened:
        return list(
            opened.exec(
                select(PaymentRow).where(PaymentRow.file == file_id).order_by(col(PaymentRow.line))
            ).all()
        )


def _differences(engine: Engine, file_id: int) -> list[str]:
    """Rows that vanished, were dated earlier or changed: this file against the last one that had each of its days' rows."""
    with session(engine) as opened:
        before = opened.exec(
            select(PaymentRow).where(PaymentRow.file < file_id).order_by(col(PaymentRow.file))
        ).all()
    last = {r.serial: r for r in before}  # of several, the newest file's
    now = {r.serial: r for r in _rows(engine, file_id)}
    first = min((r.paid_on for r in now.values()), default=date.max)
    found = []
    for old in sorted(last.values(), key=lambda r: (r.file, r.line)):
        new = now.get(old.serial)
        where = "" if old.file == file_id - 1 else f"（第 {old.file} 批里的）"
        if new is None:
            if old.paid_on >= first:
                found.append(
                    f"不见了：流水 {old.serial}{where}，{old.code}，{old.fen / 100:,.2f} 元，{old.paid_on}；台账保留原行"
                )
        elif new.fen != old.fen or new.code != old.code:
            found.append(
                f"改动：流水 {old.serial} 由 {old.code} {old.fen / 100:,.2f} 元改为 {new.code} {new.fen / 100:,.2f} 元"
            )
        elif new.paid_on != old.paid_on:
            word = "改早" if new.paid_on < old.paid_on else "改晚"
            found.append(f"{word}：流水 {old.serial} 的支付日期由 {old.paid_on} 改为 {new.paid_on}")
    return found


def newest_file(engine: Engine) -> PaymentFile | None:
    """最近一批支付日志."""
    with session(engine) as opened:
        return opened.exec(select(PaymentFile).order_by(col(PaymentFile.id).desc()).limit(1)).first()


def standing(engine: Engine) -> list[str]:
    """没有解决的对账发现: how the newest file differs from those before, and its rows that pay nothing we know."""
    newest = newest_file(engine)
    if newest is None:
        return []
    open_rows = [f"{r.outcome}：{_line(r)}" for r in _rows(engine, newest.id or 0) if r.outcome != "已记"]
    return [*_differences(engine, newest.id or 0), *open_rows, *unproven(engine)]


def _settle(engine: Engine, row: PaymentRow, at: datetime, calendar: Calendar) -> str:
    """One row in one transaction: its grant moves and it says so, or it is listed as 对不上."""
    with writing(engine) as opened:
        kept = opened.get(PaymentRow, row.id)
        assert kept is not None
        done = _already(opened, row)
        if done is not None:
            kept.grant_id, kept.outcome, kept.note = done.grant_id, *_compared(done, row)
        else:
            kept.grant_id, kept.outcome, kept.note = _pay(opened, row, at, calendar)
        opened.add(kept)
        return kept.outcome


def _already(opened: Session, row: PaymentRow) -> grants.GrantEvent | None:
    request = f"pay:{row.serial}:{row.status}"
    return opened.exec(select(grants.GrantEvent).where(grants.GrantEvent.request == request)).first()


def _compared(event: grants.GrantEvent, row: PaymentRow) -> tuple[str, str]:
    if event.fen != row.fen:
        return "对不上", f"台账已记 {event.fen / 100:,.2f} 元，金额不同"
    return "已记", ""


def _pay(opened: Session, row: PaymentRow, at: datetime, calendar: Calendar) -> tuple[int | None, str, str]:
    owed = claims_of(opened, row.serial)
    if owed:
        return None, *_of_claims(owed, row)
    if row.status == BOUNCED and (arrival := _arrival(opened, row.serial)) is not None:
        return _bring_back(opened, row, arrival, at, calendar)
    case, why = _grant_of(opened, row)
    if case is None:
        return None, "对不上", why
    day = max(row.paid_on, case.since)  # a file may be older than the step before; the ledger never goes back
    facts = {
        "支付金额": row.fen,
        "流水号": row.serial,
        "理由": "银行退票",
        "支付日期": row.paid_on.isoformat(),
    }
    if case.facts.get("分期"):  # the money has gone: that it went before its day is noted, not refused
        facts["提前支付说明"] = "财政支付日志"
    try:
        with opened.begin_nested():
            if case.ordered < row.fen and row.status == PAID:
                request = f"order:{row.serial}"
                grants.act_in(opened, case.id or 0, "下达", FINANCE, day, at, calendar, facts, request)
            action = "到账" if row.status == PAID else "退票"
            request = f"pay:{row.serial}:{row.status}"
            grants.act_in(opened, case.id or 0, action, FINANCE, day, at, calendar, facts, request)
    except Refused as refused:
        return case.id, "对不上", str(refused)[:300]
    return case.id, "已记", ""


def _arrival(opened: Session, serial: str) -> grants.GrantEvent | None:
    """The step by which money with this bank number arrived."""
    request = f"pay:{serial}:{PAID}"
    return opened.exec(select(grants.GrantEvent).where(grants.GrantEvent.request == request)).first()


def _bring_back(
    opened: Session, row: PaymentRow, arrival: grants.GrantEvent, at: datetime, calendar: Calendar
) -> tuple[int | None, str, str]:
    """冲回: the bank returns what an earlier file said had arrived; the grant waits to be paid again."""
    case = opened.get_one(GrantCase, arrival.grant_id)
    facts = {"支付金额": row.fen, "流水号": row.serial, "理由": "到账后银行退回"}
    request = f"pay:{row.serial}:{BOUNCED}"
    try:
        with opened.begin_nested():
            if row.fen != arrival.fen or row.code != case.code:
                raise Refused(
                    f"退回 {row.fen / 100:,.2f} 元，到账的是 {case.code} {arrival.fen / 100:,.2f} 元"
                )
            day = max(row.paid_on, case.since)
            grants.act_in(opened, case.id or 0, "冲回", FINANCE, day, at, calendar, facts, request)
    except Refused as refused:
        return case.id, "对不上", str(refused)[:300]
    return case.id, "已记", ""


def claims_of(opened: Session, serial: str) -> list[LedgerEntry]:
    """清偿欠款 that were booked under a bank number."""
    query = select(LedgerEntry).where(LedgerEntry.kind == "清偿欠款", LedgerEntry.ref == serial)
    return list(opened.exec(query.order_by(col(LedgerEntry.seq))).all())


def _of_claims(owed: Sequence[LedgerEntry], row: PaymentRow) -> tuple[str, str]:
    """What finance's row says of the registered claims that its number is said to have settled."""
    if row.status == BOUNCED:
        return "对不上", f"清偿欠款用的流水已退票：{'、'.join(e.subject for e in owed)}"
    told = sum(e.fen for e in owed)
    others = [e.subject for e in owed if e.subject.split("|")[2] != row.code]
    if others:
        return "对不上", f"这笔付给了 {row.code}，却清偿了 {'、'.join(others)}"
    if told > row.fen:
        return "对不上", f"清偿记了 {told / 100:,.2f} 元，支付日志只有 {row.fen / 100:,.2f} 元"
    return "已记", "" if told == row.fen else f"其中 {told / 100:,.2f} 元清偿欠款"


def unproven(engine: Engine) -> list[str]:
    """没有凭据的清偿: claims said to be settled by a bank number that no file of finance knows, though one covers the day.

    审计 calls it a false repayment; an office that has handed in no file of that day yet is not accused.
    """
    with session(engine) as opened:
        covered = opened.exec(select(func.max(PaymentRow.paid_on))).one()
        known = set(opened.exec(select(PaymentRow.serial)).all()) if covered else set()
        query = select(LedgerEntry).where(LedgerEntry.kind == "清偿欠款").order_by(col(LedgerEntry.seq))
        return [
            f"清偿没有凭据：{e.subject} {e.on} 记清偿 {e.fen / 100:,.2f} 元，流水 {e.ref} 不在支付日志里（日志已到 {covered}）"
            for e in opened.exec(query).all()
            if covered and e.on <= covered and e.ref not in known
        ]


def _grant_of(opened: Session, row: PaymentRow) -> tuple[GrantCase | None, str]:
    """The one grant of the firm that is being paid and can take this sum."""
    query = select(GrantCase).where(GrantCase.code == row.code, GrantCase.state == State.PAYING.value)
    if row.item:
        query = query.where(GrantCase.item == row.item)
    fitting = [
        c for c in opened.exec(query.order_by(col(GrantCase.id))).all() if c.ordered + c.reserved >= row.fen
    ]
    if len(fitting) == 1:
        return fitting[0], ""
    if not fitting:
        return None, _paid_already(opened, row) or "没有在拨付、金额合得上的兑现事项"
    return None, f"有 {len(fitting)} 个兑现事项都合得上，请在文件里写明事项"


def _paid_already(opened: Session, row: PaymentRow) -> str:
    """疑似重复支付: the firm's grant, of the named item where one is named, to which this sum has come already."""
    query = select(GrantCase).where(GrantCase.code == row.code, col(GrantCase.arrived) >= row.fen)
    if row.item:
        query = query.where(GrantCase.item == row.item)
    case = opened.exec(query.order_by(col(GrantCase.id))).first()
    if case is None:
        return ""
    step = opened.exec(
        select(grants.GrantEvent)
        .where(grants.GrantEvent.grant_id == case.id, grants.GrantEvent.action == "到账")
        .order_by(col(grants.GrantEvent.no).desc())
    ).first()
    when = f"{step.on} 已由流水 {step.facts.get('流水号', '')} 到账" if step else "已到账"
    return f"疑似重复支付：第 {case.id} 号兑现事项（{case.title or case.item}）{when}"
