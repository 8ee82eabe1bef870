"""地址: every address of the desk in one place; defaults left out, keys in a fixed order."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlencode

KEYS = (
    "batch",
    "verdict",
    "why",
    "stuck",
    "since",
    "state",
    "officer",
    "industry",
    "q",
    "sort",
    "page",
    "run",
)
PAGES = {
    "home": "/desk/today", "today": "/desk/today", "matches": "/desk/matches", "preview": "/desk/matches/preview",
    "commit": "/desk/matches/decide", "second": "/desk/second", "firms": "/desk/firms",
    "identity": "/desk/firms/identity", "items": "/desk/items", "policies": "/desk/policies",
    "fulfil": "/desk/fulfil", "arrears": "/desk/fulfil/arrears", "readiness": "/desk/readiness", "letter.pdf": "/desk/readiness/letter.pdf", "letter.xlsx": "/desk/readiness/letter.xlsx",
    "doubts": "/desk/doubts", "data": "/desk/data", "push": "/desk/push", "runs": "/desk/runs", "jobs": "/desk/jobs", "kpi": "/desk/fulfil/kpi",
    "reconcile": "/desk/fulfil/reconcile", "audit": "/desk/audit",
    "settings": "/desk/settings", "search": "/desk/search", "views": "/desk/views", "login": "/desk/login", "sign_on": "/desk/login/away",
    "logout": "/desk/logout", "code": "/desk/login/code", "factor": "/desk/me/factor", "undo": "/desk/undo", "me": "/desk/me", "zone": "/zone",
}  # fmt: skip
BELOW = {
    "item": "/desk/items/{item}", "list": "/desk/items/{item}/matches", "near": "/desk/items/{item}/near",
    "impact": "/desk/items/{item}/impact", "impact.svg": "/desk/items/{item}/impact.svg",
    "impact.xlsx": "/desk/items/{item}/impact.xlsx", "whole": "/desk/policies/{doc}/impact",
    "whole.svg": "/desk/policies/{doc}/impact.svg", "whole.xlsx": "/desk/policies/{doc}/impact.xlsx",
    "history": "/desk/items/{item}/runs", "edit": "/desk/items/{item}/edit",
    "list.xlsx": "/desk/items/{item}/matches.xlsx", "list.csv": "/desk/items/{item}/matches.csv",
    "notice.xlsx": "/desk/items/{item}/notice.xlsx", "match": "/desk/matches/{code}/{item}",
    "decide": "/desk/matches/{code}/{item}/decide", "answer": "/desk/matches/{code}/{item}/answer",
    "match.pdf": "/desk/matches/{code}/{item}/evidence.pdf", "firm": "/desk/firms/{code}",
    "firm.tab": "/desk/firms/{code}/{tab}", "draft": "/desk/drafts/{draft}", "run": "/desk/runs/{no}",
    "case": "/desk/fulfil/{case}", "decomposition": "/desk/policies/{number}/decompose",
    "batch": "/desk/data/{source}/{batch}", "guide": "/zone/items/{item}", "lists": "/desk/lists/{name}",
}  # fmt: skip


def query(pairs: Iterable[tuple[str, object]] | dict[str, object]) -> str:
    """查询串: known keys in their order, then others; empty values left out; commas stay readable."""
    given = dict(pairs)
    ordered = [k for k in KEYS if k in given] + [k for k in given if k not in KEYS]
    kept = [(k, _text(given[k])) for k in ordered if _text(given[k])]
    return urlencode(kept, safe=",-:")


def _text(value: object) -> str:
    if value is None or value is False:
        return ""
    if isinstance(value, list | tuple | set):
        return ",".join(str(v) for v in value)
    return str(value)


def url(name: str, /, **parts: object) -> str:
    """地址: a page by name; parts named in its path fill it, the others become the query."""
    pattern = PAGES.get(name) or BELOW[name]
    path_parts = {k: quote(str(v), safe="/") for k, v in parts.items() if "{" + k + "}" in pattern}
    rest = {k.rstrip("_"): v for k, v in parts.items() if k not in path_parts}
    tail = query(rest)
    return pattern.format(**path_parts) + (f"?{tail}" if tail else "")
