"""复核: what people decide about matches: decisions, second person, undo, answers to `ask:`, reasons and limits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.engine import Engine
from sqlmodel import Field, Session, SQLModel, col, select

from engine.fulfilment import Refused
from store import audit
from store.chain import Chain
from store.database import fen_column, id_column, json_column, session, to_fen, utc_column, writing
from store.settings import OfficeSetting, read_setting

APPROVE, REJECT, ASK_FIRM, ASK_DEPARTMENT = "通过", "不纳入", "问企业", "问部门"
SUSPEND, HAND_OVER, NOTE = "暂缓", "转交", "备注"
KINDS = (APPROVE, REJECT, ASK_FIRM, ASK_DEPARTMENT, SUSPEND, HAND_OVER, NOTE)
ACTIVE, WAITING, RETURNED, UNDONE = "生效", "待复核", "退回", "撤回"
SECOND_LIMIT_YUAN = 500_000


@dataclass(frozen=True)
class ReasonCode:
    """理由代码: why a match is not taken up; `overrides` where it goes against the rule's own 符合; a retired one is kept for old opinions."""

    code: str
    words: str
    overrides: bool = True
    retired: bool = False


OTHER = "9"
REASONS = (
    ReasonCode("1", "企业放弃", overrides=False),
    ReasonCode("2", "已迁出或注销"),
    ReasonCode("3", "数据有误，待更正"),
    ReasonCode("4", "已享受同类政策"),
    ReasonCode("5", "信用问题待修复"),
    ReasonCode("6", "不属于支持方向"),
    ReasonCode("7", "材料与事实不符"),
    ReasonCode(OTHER, "其他（写明）"),
)


class ReviewError(ValueError):
    """复核错误: the act is not allowed; the message says why and what to do instead."""


class LostUpdate(ReviewError):
    """有人先办了: another's decision came between; `other` is theirs."""

    def __init__(self, other: ReviewDecision):
        self.other = other
        super().__init__(f"{other.who} 已经“{other.kind}”了这一条")


class ReviewDecision(SQLModel, table=True):
    """复核意见: append-only but for its own state, second person and undoing."""

    __tablename__ = "review_decision"
    __table_args__ = (Index("ix_review_decision_pair", "item", "batch", "code"),)

    id: int | None = Field(default=None, sa_column=id_column())
    item: str = Field(max_length=128)
    batch: str = Field(max_length=32)
    code: str = Field(max_length=18, index=True)
    kind: str = Field(max_length=16)
    reason: str = Field(default="", max_length=8)
    text: str = Field(default="", max_length=2000)
    asked: list[str] = Field(default_factory=list, sa_column=json_column())
    target: str = Field(default="", max_length=64)
    until: date | None = None
    verdict: str = Field(default="", max_length=8)
    low: int | None = Field(default=None, sa_column=fen_column(nullable=True))
    high: int | None = Field(default=None, sa_column=fen_column(nullable=True))
    overrides: bool = False
    facts: str = Field(default="", max_length=64)
    night: int | None = None
    who: str = Field(max_length=64, index=True)
    at: datetime = Field(sa_column=utc_column(index=True))
    state: str = Field(default=ACTIVE, max_length=8, index=True)
    second_who: str = Field(default="", max_length=64)
    second_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    second_text: str = Field(default="", max_length=2000)
    undone_by: str = Field(default="", max_length=64)
    undone_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    sent: bool = False


class ReviewAnswer(SQLModel, table=True):
    """答复: a reviewer's answer to an `ask:` for an enterprise, item and batch (and row); the latest one counts."""

    __tablename__ = "review_answer"
    __table_args__ = (Index("ix_review_answer_pair", "item", "batch", "code"),)

    id: int | None = Field(default=None, sa_column=id_column())
    item: str = Field(max_length=128)
    batch: str = Field(max_length=32)
    code: str = Field(max_length=18)
    ask: str = Field(max_length=64)
    row: str = Field(default="", max_length=64)
    answer: bool | None = None
    why: str = Field(default="", max_length=2000)
    who: str = Field(max_length=64)
    at: datetime = Field(sa_column=utc_column())


@dataclass(frozen=True)
class Pair:
    """名单上的一条: what the officer saw when deciding. Amounts in yuan, None unknown; `facts` its fingerprint.

    `money` is False for an item that gives none: then there is no amount to be unknown.
    """

    item: str
    batch: str
    code: str
    verdict: str
    low: float | None = None
    high: float | None = None
    facts: str = ""
    night: int | None = None
    last_seen: int = 0
    money: bool = True


@dataclass(frozen=True)
class Act:
    """要做的事: one kind of decision with what it needs."""

    kind: str
    reason: str = ""
    text: str = ""
    asked: tuple[str, ...] = ()
    target: str = ""
    until: date | None = None


@dataclass(frozen=True)
class State:
    """现在的状态 of a pair: in the office's words, the decision it rests on, and the last id for lost updates."""

    word: str = "待处理"
    decision: ReviewDecision | None = None
    last: int = 0
    lapsed: str = ""
    officer: str = ""
    notes: int = 0


@dataclass(frozen=True)
class Forecast:
    """会怎样: what deciding a pair would do: takes effect, waits for a second person, or is refused with a cause."""

    pair: Pair
    outcome: str
    why: str = ""


# ---------------------------------------------------------------- settings


def setting(engine: Engine, name: str, default: Any = None) -> Any:
    """设置的值."""
    with session(engine) as opened:
        return read_setting(opened, name, default)


def change_setting(engine: Engine, name: str, value: Any, *, by: str, now: datetime) -> None:
    """改设置."""
    with writing(engine) as opened:
        row = opened.get(OfficeSetting, name)
        before = row.value if row else None
        row = row or OfficeSetting(name=name, value=None)
        row.value = value
        opened.add(row)
        audit.record(opened, by, "改设置", name, {"原来": before, "改为": value}, now)


def second_limit(engine: Engine) -> float:
    """复核限额 in yuan: from this amount a second person must agree."""
    return float(setting(engine, "second_limit", SECOND_LIMIT_YUAN))


def all_reasons(engine: Engine) -> tuple[ReasonCode, ...]:
    """全部理由代码 of the office, retired ones among them, by code; those of the house until the office changes them."""
    kept = setting(engine, "reasons")
    found = REASONS if kept is None else tuple(ReasonCode(**r) for r in kept)
    return tuple(sorted(found, key=lambda r: (len(r.code), r.code)))


def reasons(engine: Engine) -> tuple[ReasonCode, ...]:
    """在用的理由代码, by code."""
    return tuple(r for r in all_reasons(engine) if not r.retired)


def reason(engine: Engine, code: str) -> ReasonCode | None:
    """理由代码, by its number, in use or not."""
    return next((r for r in all_reasons(engine) if r.code == code), None)


def set_reasons(engine: Engine, wanted: Sequence[ReasonCode], *, by: str, now: datetime) -> None:
    """改理由代码. Raises ReviewError: opinions refer to a code, so one that was used keeps its words and can only be retired.

    其他 (9) stays, because it alone asks for words.
    """
    before = {r.code: r for r in all_reasons(engine)}
    after = {r.code: r for r in wanted}
    if len(after) < len(wanted):
        raise ReviewError("两个理由用了同一个编号")
    if (after.get(OTHER) or REASONS[-1]).retired or OTHER not in after:
        raise ReviewError("“其他（写明）”不能停用，别的理由都不合适时要用它")
    for r in wanted:
        if not re.fullmatch(r"[1-9][0-9]?", r.code) or not 2 <= len(r.words.strip()) <= 30:
            raise ReviewError(f"理由“{r.words or r.code}”：编号要是 1 到 99，文字 2 到 30 个字")
    changed = [c for c, r in before.items() if c not in after or after[c].words != r.words]
    with session(engine) as opened:
        used = {*opened.exec(select(ReviewDecision.reason).where(col(ReviewDecision.reason).in_(changed)))}
    if used:
        named = "、".join(f"{c} {before[c].words}" for c in sorted(used))
        raise ReviewError(f"已有意见用过：{named}。用过的理由不能改字或删去，请停用它，另加一个编号")
    change_setting(engine, "reasons", [asdict(r) for r in after.values()], by=by, now=now)


# ---------------------------------------------------------------- deciding


def forecast(act: Act, pair: Pair, limit: float, codes: Sequence[ReasonCode] = REASONS) -> Forecast:
    """会怎样: the rules of deciding, in one place for preview and commit; `codes` are the reasons in use."""
    chosen = next((r for r in codes if r.code == act.reason), None)
    refused = _refusal(act, pair, chosen)
    if refused:
        return Forecast(pair, "不行", refused)
    if act.kind not in (APPROVE, REJECT):
        return Forecast(pair, "生效")
    if _overrides(act, pair, chosen):
        return Forecast(pair, "待复核", "与规则的结论不同")
    if act.kind == APPROVE and pair.money and pair.high is None:
        return Forecast(pair, "待复核", "金额待定" if pair.low is None else "金额的上限待定")
    if act.kind == APPROVE and pair.high is not None and pair.high >= limit:
        return Forecast(pair, "待复核", f"达到 {limit / 1e4:,.0f} 万元")
    return Forecast(pair, "生效")


def _refusal(act: Act, pair: Pair, chosen: ReasonCode | None) -> str:
    if act.kind not in KINDS:
        return f"没有“{act.kind}”这种处理"
    if act.kind == APPROVE and pair.verdict == "待核实":
        return "还有待核实的条件，先把它们定下来"
    if act.kind == APPROVE and pair.verdict != "符合" and not act.text.strip():
        return "规则的结论是不符合；要改判，请写明依据"
    if act.kind == REJECT and (chosen is None or chosen.retired):
        return "请选不纳入的理由"
    if act.kind == REJECT and act.reason == OTHER and not act.text.strip():
        return "选了“其他”，请写明理由"
    if act.kind == SUSPEND and act.until is None:
        return "请写暂缓到哪一天"
    if act.kind in (HAND_OVER, ASK_DEPARTMENT) and not act.target.strip():
        return "请写明" + ("转给谁" if act.kind == HAND_OVER else "问哪个部门")
    if act.kind == NOTE and not act.text.strip():
        return "备注是空的"
    return ""


def _overrides(act: Act, pair: Pair, chosen: ReasonCode | None) -> bool:
    if act.kind == APPROVE:
        return pair.verdict != "符合"
    return act.kind == REJECT and pair.verdict == "符合" and chosen is not None and chosen.overrides


def decide(
    engine: Engine, who: str, act: Act, pairs: Sequence[Pair], now: datetime, limit: float | None = None
) -> list[ReviewDecision]:
    """作出意见 on one or many pairs, all or none.

    Raises ReviewError where a rule forbids it and LostUpdate where somebody decided since `pair.last_seen`.
    """
    bound = second_limit(engine) if limit is None else limit
    codes = reasons(engine)
    out = []
    chain = Chain(engine, now)
    with writing(engine) as opened:
        for pair in pairs:
            seen = forecast(act, pair, bound, codes)
            if seen.outcome == "不行":
                raise ReviewError(seen.why)
            if act.kind != NOTE:
                _not_overtaken(opened, pair)
            chosen = next((r for r in codes if r.code == act.reason), None)
            made = _store(opened, who, act, pair, seen, now, chosen)
            _into_chain(opened, chain, made, chosen)
            out.append(made)
    return out


def _into_chain(opened: Session, chain: Chain, made: ReviewDecision, why: ReasonCode | None) -> None:
    """A decision that took effect moves its grant, in this transaction. Raises ReviewError where it can't any more."""
    if made.state != ACTIVE or made.kind not in (APPROVE, REJECT):
        return
    words = "；".join(filter(None, (why.words if why else "", made.text)))
    try:
        chain.follow(opened, made, made.kind == APPROVE, words)
    except Refused as refused:
        raise ReviewError(str(refused)) from refused


def _not_overtaken(opened: Session, pair: Pair) -> None:
    newer = opened.exec(
        _of_pair(pair)
        .where(col(ReviewDecision.id) > pair.last_seen, ReviewDecision.kind != NOTE)
        .order_by(col(ReviewDecision.id).desc())
    ).first()
    if newer is not None and newer.state != UNDONE:
        raise LostUpdate(newer)


def _of_pair(pair: Pair) -> Any:
    return select(ReviewDecision).where(
        ReviewDecision.item == pair.item, ReviewDecision.batch == pair.batch, ReviewDecision.code == pair.code
    )


def _store(
    opened: Session, who: str, act: Act, pair: Pair, seen: Forecast, now: datetime, chosen: ReasonCode | None
) -> ReviewDecision:
    made = ReviewDecision(
        item=pair.item,
        batch=pair.batch,
        code=pair.code,
        kind=act.kind,
        reason=act.reason,
        text=act.text.strip(),
        asked=list(act.asked),
        target=act.target.strip(),
        until=act.until,
        verdict=pair.verdict,
        low=None if pair.low is None else to_fen(pair.low),
        high=None if pair.high is None else to_fen(pair.high),
        overrides=_overrides(act, pair, chosen),
        facts=pair.facts,
        night=pair.night,
        who=who,
        at=now,
        state=WAITING if seen.outcome == "待复核" else ACTIVE,
    )
    opened.add(made)
    opened.flush()
    detail = {
        "编号": made.id,
        "批次": pair.batch,
        "结论": pair.verdict,
        "金额": [pair.low, pair.high],
        "理由": f"{chosen.code} {chosen.words}" if chosen and act.kind == REJECT else act.reason,
        "说明": act.text,
        "状态": made.state,
        "比对": pair.night,
    }
    audit.record(opened, who, act.kind, f"{pair.code} × {pair.item}", detail, now)
    return made


def second(
    engine: Engine, decision_id: int, who: str, agree: bool, words: str, now: datetime
) -> ReviewDecision:
    """复核: agree or send back. No one may be the second person of their own decision. Raises ReviewError."""
    chain = Chain(engine, now)
    waiting = decision(engine, decision_id)
    why = reason(engine, waiting.reason) if waiting is not None else None
    with writing(engine) as opened:
        made = opened.get(ReviewDecision, decision_id)
        if made is None or made.state != WAITING:
            raise ReviewError("这一条不在等复核，可能已经有人办了")
        if made.who == who:
            raise ReviewError("自己作的意见不能自己复核，请另一位复核")
        if not agree and not words.strip():
            raise ReviewError("退回要写明理由")
        made.state = ACTIVE if agree else RETURNED
        made.second_who, made.second_at, made.second_text = who, now, words.strip()
        opened.add(made)
        if agree:
            _into_chain(opened, chain, made, why)
        what = "复核同意" if agree else "复核退回"
        audit.record(opened, who, what, f"{made.code} × {made.item}", {"编号": made.id, "说明": words}, now)
        return made


def undo(engine: Engine, decision_id: int, who: str, now: datetime) -> ReviewDecision:
    """撤回: one's own decision, as long as nothing was sent and nobody went on from it. Raises ReviewError."""
    chain = Chain(engine, now)
    with writing(engine) as opened:
        made = opened.get(ReviewDecision, decision_id)
        if made is None or made.state == UNDONE:
            raise ReviewError("没有可以撤回的意见")
        if made.who != who:
            raise ReviewError(f"这是 {made.who} 的意见，只有本人能撤回")
        if made.sent:
            raise ReviewError("已经通知企业或进入兑现，不能撤回；请另作一条意见")
        if made.second_who:
            raise ReviewError(f"{made.second_who} 已经复核，不能撤回；请另作一条意见")
        try:
            chain.take_back(opened, made, who)
        except Refused as refused:
            raise ReviewError(str(refused)) from refused
        made.state, made.undone_by, made.undone_at = UNDONE, who, now
        opened.add(made)
        audit.record(
            opened, who, "撤回", f"{made.code} × {made.item}", {"编号": made.id, "原意见": made.kind}, now
        )
        return made


def mark_sent(opened: Session, decision_ids: Iterable[int]) -> None:
    """记已发出: in the caller's transaction, when something left the house on the strength of a decision."""
    for number in decision_ids:
        made = opened.get_one(ReviewDecision, number)
        made.sent = True
        opened.add(made)


# ---------------------------------------------------------------- reading


def waiting_second(engine: Engine) -> list[ReviewDecision]:
    """等复核的意见, oldest first."""
    with session(engine) as opened:
        found = opened.exec(
            select(ReviewDecision).where(ReviewDecision.state == WAITING).order_by(col(ReviewDecision.id))
        )
        return list(found)


def decision(engine: Engine, decision_id: int) -> ReviewDecision | None:
    """意见, by number."""
    with session(engine) as opened:
        return opened.get(ReviewDecision, decision_id)


def history(engine: Engine, *, item: str = "", batch: str = "", code: str = "") -> list[ReviewDecision]:
    """意见的经过: of a pair, an item or a firm, newest first."""
    wanted = []
    if item:
        wanted.append(ReviewDecision.item == item)
    if batch:
        wanted.append(ReviewDecision.batch == batch)
    if code:
        wanted.append(ReviewDecision.code == code)
    with session(engine) as opened:
        return list(
            opened.exec(select(ReviewDecision).where(*wanted).order_by(col(ReviewDecision.id).desc()))
        )


def notes_beginning(engine: Engine, words: str) -> list[ReviewDecision]:
    """以这些字开头的备注, newest first."""
    query = select(ReviewDecision).where(
        ReviewDecision.kind == NOTE,
        ReviewDecision.state == ACTIVE,
        col(ReviewDecision.text).startswith(words, autoescape=True),
    )
    with session(engine) as opened:
        return list(opened.exec(query.order_by(col(ReviewDecision.id).desc())))


WORDS = {
    APPROVE: "已通过",
    REJECT: "未纳入",
    ASK_FIRM: "已问企业",
    ASK_DEPARTMENT: "已问部门",
    SUSPEND: "暂缓",
}


def states(
    made: Iterable[ReviewDecision], facts: Mapping[tuple[str, str, str], str], today: date
) -> dict[tuple[str, str, str], State]:
    """状态 by (item, batch, code): decisions stick until the facts they rest on change or their day has passed.

    `facts` gives today's fingerprints; a pair without one keeps its decision.
    """
    out: dict[tuple[str, str, str], State] = {}
    for one in sorted(made, key=lambda d: d.id or 0):
        key = (one.item, one.batch, one.code)
        out[key] = _after(out.get(key, State()), one, facts.get(key), today)
    return out


def _after(before: State, one: ReviewDecision, now_facts: str | None, today: date) -> State:
    number = one.id or 0
    if one.kind == NOTE:
        return State(
            before.word, before.decision, before.last, before.lapsed, before.officer, before.notes + 1
        )
    if one.state == UNDONE:
        return State(before.word, before.decision, number, before.lapsed, before.officer, before.notes)
    if one.kind == HAND_OVER:
        return State(before.word, before.decision, number, before.lapsed, one.target, before.notes)
    if one.state == RETURNED:
        return State(
            "被退回", one, number, f"{one.second_who}退回：{one.second_text}", before.officer, before.notes
        )
    if one.until is not None and one.until < today:
        return State(
            "待处理", one, number, f"{one.kind}到 {one.until} 为止，已过期", before.officer, before.notes
        )
    if one.facts and now_facts is not None and one.facts != now_facts:
        return State("待处理", one, number, f"{one.kind}之后，所依据的数据变了", before.officer, before.notes)
    word = "待复核" if one.state == WAITING else WORDS[one.kind]
    if one.kind == ASK_DEPARTMENT and one.target:
        word = f"已问{one.target}"
    return State(word, one, number, "", before.officer, before.notes)


# ---------------------------------------------------------------- answers


def answer_question(
    engine: Engine,
    who: str,
    pair: Pair,
    ask: str,
    answer: bool | None,
    why: str,
    now: datetime,
    row: str = "",
) -> ReviewAnswer:
    """答复 an `ask:`; None takes the answer back. A reason must be given. Raises ReviewError."""
    if not why.strip():
        raise ReviewError("请写判断依据")
    with writing(engine) as opened:
        made = ReviewAnswer(
            item=pair.item,
            batch=pair.batch,
            code=pair.code,
            ask=ask,
            row=row,
            answer=answer,
            why=why.strip(),
            who=who,
            at=now,
        )
        opened.add(made)
        opened.flush()
        told = "收回" if answer is None else "是" if answer else "否"
        audit.record(
            opened,
            who,
            "答复",
            f"{pair.code} × {pair.item}",
            {"问题": ask, "行": row, "答": told, "依据": why},
            now,
        )
        return made


def answers(engine: Engine, *, item: str = "", code: str = "") -> list[ReviewAnswer]:
    """答复, newest first."""
    wanted = [ReviewAnswer.item == item] if item else []
    if code:
        wanted.append(ReviewAnswer.code == code)
    with session(engine) as opened:
        return list(opened.exec(select(ReviewAnswer).where(*wanted).order_by(col(ReviewAnswer.id).desc())))


@dataclass
class _Answers:
    """Collected answers of one question: an answer for the enterprise, or one a row."""

    whole: bool | None = None
    rows: dict[str, bool] = field(default_factory=dict)


def answer_book(engine: Engine) -> dict[tuple[str, str, str], dict[str, bool | dict[str, bool]]]:
    """答复册: {(item, batch, ask): {code: answer, or {row: answer}}} as the engine takes it; the latest answers count."""
    book: dict[tuple[str, str, str], dict[str, _Answers]] = {}
    for one in reversed(answers(engine)):
        slot = book.setdefault((one.item, one.batch, one.ask), {}).setdefault(one.code, _Answers())
        if not one.row:
            slot.whole = one.answer
        elif one.answer is None:
            slot.rows.pop(one.row, None)
        else:
            slot.rows[one.row] = one.answer
    out: dict[tuple[str, str, str], dict[str, bool | dict[str, bool]]] = {}
    for key, firms in book.items():
        for code, slot in firms.items():
            if slot.rows:
                out.setdefault(key, {})[code] = dict(slot.rows)
            elif slot.whole is not None:
                out.setdefault(key, {})[code] = slot.whole
    return out
