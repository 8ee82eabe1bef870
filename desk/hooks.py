"""送回调: tell other systems what happened, in the order of the audit log, until each has heard it."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import httpx

from desk.outward import Network, Refusal, guarded_client
from store import sealed, webhooks
from store.audit import AuditEntry
from store.database import Engine

TIMEOUT = 10.0
LOOK = 5.0  # seconds between looks
PER_CALL = 50


def body_of(entries: list[AuditEntry]) -> bytes:
    """回调的正文: the events, oldest first; `id` never changes, so that one that comes twice is known."""
    events = [
        {"id": e.number, "event": webhooks.event_of(e.what), "what": e.what, "subject": e.subject, "who": e.who,
         "at": e.at.isoformat(), "detail": e.detail}
        for e in entries
    ]  # fmt: skip
    return json.dumps({"events": events}, ensure_ascii=False, separators=(",", ":")).encode()


def sign(secret: str, body: bytes) -> str:
    """签名: HMAC-SHA256 of the body, as hex."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def deliver(engine: Engine, now: Callable[[], datetime], client: httpx.Client) -> int:
    """送一轮: every hook that is due; the number of events told. A failed one waits and is tried again, nothing is skipped."""
    count = 0
    for hook in webhooks.take(engine, now()):
        assert hook.id is not None
        entries, upto = webhooks.news(engine, hook, PER_CALL)
        if not entries:
            webhooks.told(engine, hook.id, upto, now(), sent=False, more=upto > hook.told)
            continue
        body = body_of(entries)
        try:
            headers = {
                "Content-Type": "application/json",
                "X-Huiqi-Signature": f"sha256={sign(webhooks.secret_of(hook), body)}",
            }
            with client.stream(
                "POST", hook.url, content=body, headers=headers, timeout=TIMEOUT, follow_redirects=False
            ) as answer:  # its status is all that counts: what it sends after that may never end
                problem = "" if answer.is_success else f"对方答 {answer.status_code}"
        except Refusal as error:
            problem = str(error)
        except sealed.SealError as error:  # unsigned it may not go out; it waits for the key
            problem = f"签名的密钥打不开：{error}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            problem = f"连不上：{type(error).__name__}"
        if problem:
            webhooks.failed(engine, hook.id, problem, now())
        else:
            webhooks.told(engine, hook.id, upto, now(), sent=True, more=True)
            count += len(entries)
    return count


def keep_telling(engine: Engine, now: Callable[[], datetime], networks: Sequence[Network] = ()) -> None:
    """一直送, in the background of `huiqi desk`; into the office's own network only where `networks` says so."""
    with guarded_client(networks) as client:
        while True:
            try:
                deliver(engine, now, client)
            except Exception:  # a hook must never take the desk down; the next look tries again
                logging.getLogger(__name__).exception("送回调时出错")
            time.sleep(LOOK)
