"""规则草稿: a rule file on its way from draft over checking and signing to publication, two persons; and decompositions under review."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Engine
from sqlmodel import Field, Session, SQLModel, col, select

from store import audit
from store.database import id_column, json_column, session, utc_column, writing

DRAFT, SUBMITTED, PUBLISHED, DROPPED = "草稿", "待签发", "已发布", "作废"


class DraftError(ValueError):
    """草稿错误: the step is not allowed; the message says why."""


class RuleDraft(SQLModel, table=True):
    """规则草稿: the text of one rule file, what it started from, and who did which step."""

    __tablename__ = "rule_draft"

    id: int | None = Field(default=None, sa_column=id_column())
    item: str = Field(max_length=128, index=True)
    text: str
    cases: str = ""
    base: str = Field(default="", max_length=64)
    base_text: str = ""
    note: str = Field(default="", max_length=500)
    state: str = Field(default=DRAFT, max_length=8, index=True)
    author: str = Field(max_length=64)
    created: datetime = Field(sa_column=utc_column())
    changed: datetime = Field(sa_column=utc_column())
    impact: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    signer: str = Field(default="", max_length=64)
    signed: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    returned: str = Field(default="", max_length=500)


class Decomposition(SQLModel, table=True):
    """分解校对: a document read by the machine, its proposals, and what people made of each."""

    __tablename__ = "decomposition"

    id: int | None = Field(default=None, sa_column=id_column())
    document: str = Field(max_length=64, index=True)
    title: str = Field(max_length=300)
    file: str = Field(max_length=200)
    draft: dict[str, Any] = Field(sa_column=json_column())
    marks: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    state: str = Field(default=DRAFT, max_length=8)
    by: str = Field(max_length=64)
    created: datetime = Field(sa_column=utc_column())
    signer: str = Field(default="", max_length=64)
    signed: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


def fingerprint(text: str) -> str:
    """文件指纹 of a rule file."""
    return hashlib.sha256(text.encode()).hexdigest()


def begin(engine: Engine, item: str, text: str, cases: str, who: str, now: datetime) -> RuleDraft:
    """起草 from the published file. Raises DraftError where a draft of the item is under way."""
    with writing(engine) as opened:
        other = opened.exec(
            select(RuleDraft).where(RuleDraft.item == item, col(RuleDraft.state).in_([DRAFT, SUBMITTED]))
        ).first()
        if other is not None:
            raise DraftError(f"{other.author} 已经在改这一项（{other.state}），请先看他的草稿")
        made = RuleDraft(
            item=item,
            text=text,
            cases=cases,
            base=fingerprint(text),
            base_text=text,
            author=who,
            created=now,
            changed=now,
        )
        opened.add(made)
        opened.flush()
        audit.record(opened, who, "起草规则", item, {"草稿": made.id}, now)
        return made


def save(
    engine: Engine,
    draft_id: int,
    text: str,
    note: str,
    who: str,
    now: datetime,
    seen: str,
    cases: str | None = None,
) -> RuleDraft:
    """存草稿. `seen` is the fingerprint of the text the writer began from, `cases` its cases (None: as they were); raises DraftError on a lost update."""
    with writing(engine) as opened:
        made = _open(opened, draft_id, DRAFT)
        if fingerprint(made.text) != seen:
            raise DraftError(f"没有保存：{made.author} 在您编辑时改过这份草稿。您填的内容还在下面")
        if cases is not None:
            made.cases = cases
        made.text, made.note, made.changed, made.author = text, note.strip()[:500], now, who
        opened.add(made)
        audit.record(opened, who, "改规则草稿", made.item, {"草稿": made.id, "指纹": fingerprint(text)}, now)
        return made


def submit(engine: Engine, draft_id: int, impact: dict[str, Any], who: str, now: datetime) -> RuleDraft:
    """提交签发 with the impact that was shown. Raises DraftError."""
    with writing(engine) as opened:
        made = _open(opened, draft_id, DRAFT)
        if not made.note:
            raise DraftError("请先写一句为什么改，签发的人要看")
        made.state, made.impact, made.author, made.returned = SUBMITTED, impact, who, ""
        opened.add(made)
        audit.record(opened, who, "提交签发", made.item, {"草稿": made.id, "影响": impact}, now)
        return made


def send_back(engine: Engine, draft_id: int, who: str, words: str, now: datetime) -> RuleDraft:
    """退回修改. Raises DraftError."""
    if not words.strip():
        raise DraftError("退回要写明理由")
    with writing(engine) as opened:
        made = _open(opened, draft_id, SUBMITTED)
        made.state, made.returned = DRAFT, f"{who}：{words.strip()}"[:500]
        opened.add(made)
        audit.record(opened, who, "退回规则", made.item, {"草稿": made.id, "理由": words}, now)
        return made


def drop(engine: Engine, draft_id: int, who: str, now: datetime) -> None:
    """作废草稿: one's own. Raises DraftError."""
    with writing(engine) as opened:
        made = opened.get(RuleDraft, draft_id)
        if made is None or made.state not in (DRAFT, SUBMITTED) or made.author != who:
            raise DraftError("只能作废自己还没发布的草稿")
        made.state = DROPPED
        opened.add(made)
        audit.record(opened, who, "作废草稿", made.item, {"草稿": made.id}, now)


def approve(engine: Engine, draft_id: int, reasons: Sequence[str], who: str, now: datetime) -> RuleDraft:
    """领导批准 of a change whose impact is beyond the limits, for `reasons`. The author may not. Raises DraftError."""
    with writing(engine) as opened:
        made = _open(opened, draft_id, SUBMITTED)
        if made.author == who:
            raise DraftError("自己起草的规则不能自己批准，请另一位领导批准")
        if not reasons:
            raise DraftError("影响没有超过审批限额，不用领导批准")
        given = {"who": who, "at": now.isoformat()}
        made.impact = {**made.impact, "要领导批准": list(reasons), "批准": given}
        opened.add(made)
        audit.record(opened, who, "批准规则影响", made.item, {"草稿": made.id, "理由": list(reasons)}, now)
        return made


def publish(
    engine: Engine,
    draft_id: int,
    reasons: Sequence[str],
    who: str,
    now: datetime,
    put: Callable[[RuleDraft], None],
) -> RuleDraft:
    """签发并发布: `put` writes the file; when it fails nothing is published. The author may not sign, and where the
    impact gives `reasons` a leader must have approved first. Raises DraftError."""
    with writing(engine) as opened:
        made = _open(opened, draft_id, SUBMITTED)
        if made.author == who:
            raise DraftError("自己起草的规则不能自己签发，请另一位签发")
        if reasons and "批准" not in made.impact:
            raise DraftError(f"影响超过审批限额，要领导先批准：{'；'.join(reasons)}")
        made.state, made.signer, made.signed = PUBLISHED, who, now
        opened.add(made)
        detail = {"草稿": made.id, "起草": made.author, "原指纹": made.base, "新指纹": fingerprint(made.text)}
        audit.record(opened, who, "发布规则", made.item, detail, now)
        put(made)
        return made


def _open(opened: Session, draft_id: int, state: str) -> RuleDraft:
    made = opened.get(RuleDraft, draft_id)
    if made is None:
        raise DraftError("没有这份草稿")
    if made.state != state:
        raise DraftError(f"这份草稿现在是“{made.state}”，不能做这一步")
    return made


def draft(engine: Engine, draft_id: int) -> RuleDraft | None:
    """草稿, by number."""
    with session(engine) as opened:
        return opened.get(RuleDraft, draft_id)


def drafts(engine: Engine, item: str = "", states: tuple[str, ...] = ()) -> list[RuleDraft]:
    """草稿, newest first."""
    wanted: list[Any] = [RuleDraft.item == item] if item else []
    if states:
        wanted.append(col(RuleDraft.state).in_(states))
    with session(engine) as opened:
        return list(opened.exec(select(RuleDraft).where(*wanted).order_by(col(RuleDraft.id).desc())))


# ---------------------------------------------------------------- decompositions


def begin_decomposition(
    engine: Engine, document: str, title: str, file: str, drafted: dict[str, Any], who: str, now: datetime
) -> Decomposition:
    """开始校对 a document's proposals."""
    with writing(engine) as opened:
        made = Decomposition(document=document, title=title, file=file, draft=drafted, by=who, created=now)
        opened.add(made)
        opened.flush()
        audit.record(opened, who, "导入政策", document, {"文件": file, "编号": made.id}, now)
        return made


def mark_proposal(
    engine: Engine, number: int, proposal: str, mark: dict[str, Any], who: str, now: datetime
) -> None:
    """定一条提议: taken, changed, made a human question, or dropped; 重定 opens it again. Raises DraftError."""
    with writing(engine) as opened:
        made = opened.get(Decomposition, number)
        if made is None or made.state != DRAFT:
            raise DraftError("这份文件已经签发，不能再改提议")
        others = {k: m for k, m in made.marks.items() if k != proposal}
        again = mark["do"] == "重定"
        made.marks = others if again else {**others, proposal: {**mark, "who": who, "at": now.isoformat()}}
        opened.add(made)
        audit.record(opened, who, "校对提议", made.document, {"提议": proposal, **mark}, now)


def sign_decomposition(
    engine: Engine, number: int, who: str, now: datetime, put: Callable[[Decomposition], None]
) -> None:
    """签发分解: not by the one who imported it. Raises DraftError."""
    with writing(engine) as opened:
        made = opened.get(Decomposition, number)
        if made is None or made.state != DRAFT:
            raise DraftError("这份文件已经签发")
        if made.by == who or any(m.get("who") == who for m in made.marks.values()):
            raise DraftError("自己导入或校对的文件不能自己签发，请另一位签发")
        made.state, made.signer, made.signed = PUBLISHED, who, now
        opened.add(made)
        audit.record(opened, who, "签发分解", made.document, {"编号": number}, now)
        put(made)


def decomposition(engine: Engine, number: int) -> Decomposition | None:
    """分解校对, by number."""
    with session(engine) as opened:
        return opened.get(Decomposition, number)


def decompositions(engine: Engine) -> list[Decomposition]:
    """全部分解校对, newest first."""
    with session(engine) as opened:
        return list(opened.exec(select(Decomposition).order_by(col(Decomposition.id).desc())))
