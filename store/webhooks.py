"""回调: addresses of other systems that are told what happened, each from where it left off in the audit log."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy.engine import Engine
from sqlmodel import Field, SQLModel, col, select

from store import audit, sealed
from store.database import id_column, json_column, session, utc_column, writing

# What may be told: the event's name and the acts of the audit log it stands for (a trailing * means a beginning).
EVENTS: dict[str, tuple[str, ...]] = {
    "decision": ("通过", "不纳入", "问企业", "问部门", "暂缓", "转交", "撤回"),
    "second": ("复核同意", "复核退回"),
    "answer": ("答复",),
    "grant": ("兑现：*",),
    "rule": ("发布规则", "签发分解"),
    "run": ("放行比对",),
    "correction": ("请求更正",),
}
LEASE_SECONDS = 60
LONGEST_WAIT = timedelta(hours=1)
MOST_HOOKS = 20


ADDRESS = re.compile(r"[!-~\u00b7\u4e00-\u9fff]+")  # ASCII and Chinese names of hosts


class WebhookError(ValueError):
    """回调错误: the message is for the person."""


class Webhook(SQLModel, table=True):
    """回调: where to, which events, the sealed secret it signs with, and up to which entry of the audit log it was told."""

    __tablename__ = "webhook"

    id: int | None = Field(default=None, sa_column=id_column())
    url: str = Field(max_length=500)
    events: list[str] = Field(sa_column=json_column())
    secret: str = Field(max_length=400)
    by: str = Field(max_length=64)
    created: datetime = Field(sa_column=utc_column())
    told: int = 0
    failures: int = 0
    problem: str = Field(default="", max_length=300)
    next_try: datetime = Field(sa_column=utc_column())
    last_sent: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


def event_of(what: str) -> str:
    """事件名 of an act in the audit log, "" for acts that nobody outside is told."""
    for name, acts in EVENTS.items():
        if any(what.startswith(a[:-1]) if a.endswith("*") else what == a for a in acts):
            return name
    return ""


def check_url(url: str) -> None:
    """查回调的地址: http or https, a host, a port that can be, nothing invisible. Raises WebhookError.

    Where it leads is looked at when something is sent (`desk/outward.py`): a name may answer otherwise by then.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that don't close, a port beyond 65535, characters that turn into slashes
        sound = False
    # % names one of this machine's own networks ([fe80::1%eth0]), where no receiver of an office can be
    if (
        not sound
        or "@" in parts.netloc
        or "%" in parts.netloc
        or len(url) > 500
        or not ADDRESS.fullmatch(url)
    ):
        raise WebhookError("地址要写成 https://主机/路径，不带用户名和密码，不含空格和看不见的字符")


def add(engine: Engine, url: str, events: Sequence[str], *, by: str, now: datetime) -> tuple[Webhook, str]:
    """新建回调, with its secret, which is told this once: it hears what happens from now on. Raises WebhookError, SealError."""
    check_url(url)
    if not events or any(e not in EVENTS for e in events):
        raise WebhookError(f"事件可以是：{'、'.join(EVENTS)}")
    with writing(engine) as opened:
        if len(opened.exec(select(Webhook.id)).all()) >= MOST_HOOKS:
            raise WebhookError(f"最多 {MOST_HOOKS} 个回调，先删掉不用的")
        kept = list(dict.fromkeys(events))
        entry = audit.record(opened, by, "新建回调", url, {"事件": kept}, now)
        made = Webhook(url=url, events=kept, secret="", by=by, created=now, told=entry.number, next_try=now)
        opened.add(made)
        opened.flush()
        secret = secrets.token_urlsafe(32)
        made.secret = sealed.seal(secret, _whose(made), sealed.keys())
        return made, secret


def _whose(hook: Webhook) -> str:
    return f"webhook:{hook.id}"


def secret_of(hook: Webhook) -> str:
    """签名的密钥. Raises SealError where no key that is here opens it."""
    return sealed.unseal(hook.secret, _whose(hook), sealed.keys())


def seals(engine: Engine, env: Mapping[str, str] = os.environ) -> sealed.Seals:
    """回调的密钥封存得怎样. Raises SealError where what is set is no key."""
    return sealed.counted(((h.secret, _whose(h)) for h in hooks(engine)), sealed.keys(env))


def reseal(engine: Engine, by: str, now: datetime) -> int:
    """重新封存 with the first key: how many. Raises SealError, and nothing is changed."""
    given = sealed.demanded()
    with writing(engine) as opened:
        kept = opened.exec(select(Webhook).with_for_update()).all()
        for hook in kept:
            hook.secret = sealed.seal(sealed.unseal(hook.secret, _whose(hook), given), _whose(hook), given)
            opened.add(hook)
        if kept:
            audit.record(opened, by, "封存回调的密钥", "", {"个数": len(kept)}, now)
    return len(kept)


def drop(engine: Engine, number: int, *, by: str, now: datetime) -> None:
    """删回调. Raises WebhookError."""
    with writing(engine) as opened:
        found = opened.get(Webhook, number)
        if found is None:
            raise WebhookError("没有这个回调")
        audit.record(opened, by, "删回调", found.url, {}, now)
        opened.delete(found)


def hooks(engine: Engine) -> list[Webhook]:
    """全部回调."""
    with session(engine) as opened:
        return list(opened.exec(select(Webhook).order_by(col(Webhook.id))))


def take(engine: Engine, now: datetime) -> list[Webhook]:
    """取到期的回调: each for one deliverer at a time, who must say how it went before the lease ends."""
    with writing(engine) as opened:
        due = list(opened.exec(select(Webhook).where(Webhook.next_try <= now).with_for_update()))
        for one in due:
            one.next_try = now + timedelta(seconds=LEASE_SECONDS)
            opened.add(one)
        return due


def news(engine: Engine, hook: Webhook, limit: int = 50) -> tuple[list[audit.AuditEntry], int]:
    """新的记录 for a hook, oldest first, and the number up to which the log was looked through."""
    with session(engine) as opened:
        found = list(
            opened.exec(
                select(audit.AuditEntry)
                .where(audit.AuditEntry.number > hook.told)
                .order_by(col(audit.AuditEntry.number))
                .limit(500)
            )
        )
    wanted = [e for e in found if event_of(e.what) in hook.events]
    if len(wanted) > limit:
        return wanted[:limit], wanted[limit - 1].number
    return wanted, found[-1].number if found else hook.told


def told(engine: Engine, number: int, upto: int, now: datetime, *, sent: bool, more: bool) -> None:
    """记送到: the hook was told everything up to an entry; `more` lets it go on at once."""
    with writing(engine) as opened:
        hook = opened.get(Webhook, number)
        if hook is None:
            return
        hook.told, hook.failures, hook.problem = max(hook.told, upto), 0, ""
        hook.next_try = now if more else now + timedelta(seconds=2)
        hook.last_sent = now if sent else hook.last_sent
        opened.add(hook)


def failed(engine: Engine, number: int, problem: str, now: datetime) -> None:
    """记没送到: again after 10 s, 20 s, 40 s … at most an hour; nothing is skipped."""
    with writing(engine) as opened:
        hook = opened.get(Webhook, number)
        if hook is None:
            return
        hook.failures, hook.problem = hook.failures + 1, problem[:300]
        wait = timedelta(seconds=10 * 2 ** min(hook.failures - 1, 12))
        hook.next_try = now + min(wait, LONGEST_WAIT)
        opened.add(hook)
