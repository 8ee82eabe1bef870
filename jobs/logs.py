"""日志: one JSON object a line with run and match ids, and no personal data: contacts, secrets and the like are masked on the way out."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

NAMED = "HUIQI_LOG"
HIDDEN = "〔略〕"
# Whatever is logged under these names is left out, whoever logs it.
PERSONAL = re.compile(
    r"passw|secret|token|cookie|authoriz|e-?mail|phone|mobile|contact|csrf|姓名|联系|手机|电话|邮箱|账号|开户|密码|口令", re.IGNORECASE
)  # fmt: skip
PATTERNS = (
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),  # mail
    re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)"),  # mobile
    re.compile(r"(?<!\d)0\d{2,3}[- ]\d{7,8}(?!\d)"),  # telephone
    re.compile(
        r"(?<!\w)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\w)"
    ),  # identity card
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),  # user and password of an address
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]+"),
    re.compile(
        r"(?i)(?<=token=)[^&\s]+|(?<=secret=)[^&\s]+|(?<=passwd=)[^&\s]+|(?<=password=)[^&\s]+|(?<=key=)[^&\s]+"
    ),
    re.compile(r"(?<!\d)\d{4}[- ]?\d{4}[- ]?\d{4}[- ]?\d{4}(?:[- ]?\d{1,3})?(?!\d)"),  # bank account
)


def masked(value: Any) -> Any:
    """遮过的: texts without what looks personal; mappings without what is named so."""
    if isinstance(value, str):
        for pattern in PATTERNS:
            value = pattern.sub(HIDDEN, value)
        return value
    if isinstance(value, Mapping):
        return {masked(str(k)): HIDDEN if PERSONAL.search(str(k)) else masked(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(v) for v in value]
    return value if isinstance(value, bool | int | float | None) else masked(str(value))


def _mask(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return masked(event)


def _no_values(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A traceback tells places and kinds; what the exception says may quote a row, and is masked like any text."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple) and error[0] is not None:
        frames, at = [], error[2]
        while at is not None:
            frames.append(f"{at.tb_frame.f_code.co_filename.rpartition('/')[2]}:{at.tb_lineno}")
            at = at.tb_next
        event.update(error=error[0].__name__, said=str(error[1])[:300], where=" ".join(frames[-8:]))
    return event


def configure(env: Mapping[str, str], stream: TextIO | None = None) -> None:
    """设日志: HUIQI_LOG is json (as for services) or plain; everything logged anywhere in the process goes to `stream`. Raises ValueError."""
    how = env.get(NAMED, "").strip() or "json"
    if how not in ("json", "plain"):
        raise ValueError(f"{NAMED} 要写成 json 或 plain，现在是“{how}”")
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Any = structlog.processors.JSONRenderer(ensure_ascii=False) if how == "json" else structlog.dev.ConsoleRenderer(colors=False)  # fmt: skip
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _no_values, _mask, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in (
        "httpx",
        "httpcore",
        "uvicorn.access",
        "alembic",
        "apscheduler",
        "distributed",
        "fontTools",
        "matplotlib",
        "pdfminer",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
