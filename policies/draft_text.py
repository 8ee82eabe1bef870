"""草稿的原文与文件信息: text.md, the headings it cites, document.yaml's facts, and what differs between two texts."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from policies.segment import Clause, segment

from .decompose.model import Decomposition
from .decompose.quantities import DATE, date_of, number
from .decompose.windows import later


def heading_labels(found: Decomposition) -> dict[int, str]:
    """标题标签: for each clause the label of the heading it stands under in text.md; unique, without spaces."""
    labels: dict[int, str] = {}
    used: dict[str, int] = {}
    current = "前言"
    by_number = {c.number: c for c in found.clauses}
    for c in found.clauses:
        if c.first and starts_heading(c):
            over = [
                by_number[h].label
                for h in c.headings
                if by_number[h].sort in ("一", "（一）") and by_number[h].rank < c.rank
            ]
            name = (
                c.label
                if c.sort == "条"
                else "".join([*over, c.label]) or re.sub(r"[\s#：:]+", "", c.text)[:16]
            )
            used[name] = used.get(name, 0) + 1
            current = name if used[name] == 1 else f"{name}·{used[name]}"
        labels[c.number] = current
    return labels


def starts_heading(c: Clause) -> bool:
    """起标题: whether a clause begins a part of its own in text.md."""
    return c.first and (c.sort in ("章", "节", "条", "一", "（一）", "h"))


def text_md(found: Decomposition, labels: Mapping[int, str], title: str) -> str:
    """原文: the verbatim text, one heading over each part; every line of the document stays as it was."""
    starts = {c.start: labels[c.number] for c in found.clauses if starts_heading(c)}
    out = [f"# {title}", "", "## 前言", ""]
    at = 0
    for line in found.text.split("\n"):
        begin = next((s for s in range(at, at + len(line)) if s in starts), None)
        if begin is not None:
            out += ["", f"## {starts[begin]}", ""]
        out.append(re.sub(r"^(?=#{1,6}\s)", "\u3000", line))
        at += len(line) + 1
    return "\n".join(out).rstrip() + "\n"


_NUMBER = re.compile(r"[\u4e00-\u9fa5]{2,12}[〔\[（(]\s*\d{4}\s*[〕\]）)]\s*\d+\s*号")


_PAGE = re.compile(
    r">|首页|当前(?:所在)?位置|网站|政府网|无障碍|点击|^依据|^《|^[一二三四五六七八九十]{1,3}、"
)
_NAMES = re.compile(r"办法|意见|措施|政策|细则|通知|方案|指南|规定|公告|解读")


def _title(found: Decomposition, source: str) -> str:
    """The document's name: among its first lines the one that names a kind of document, a name broken over two lines joined."""
    lines = [c.text.strip() for c in found.clauses[:10] if c.first and not _PAGE.search(c.text)]
    titled = [
        re.split(r"\s*(?:发布时间|来源|字号)[:：]", c.text.strip())[0]
        for c, r in zip(found.clauses[:8], found.roles[:8], strict=False)
        if "title" in r and not _PAGE.search(c.text) and not re.search(r"[。：；:;]$", c.text.strip())
    ]
    basis = [c.text.strip() for c in found.clauses[:4] if re.match(r"《[^》]{8,60}》", c.text.strip())]
    head = next(
        (t for t in lines[:2] if _NAMES.search(t) and len(t) <= 60 and not re.match(r"[一二三]、", t)), ""
    )
    plain = [t for t in titled if not re.search(r"^（|[。：:？?]$", t)]
    first = head or next(iter([*plain, *basis]), source.rsplit(".", 1)[0])
    title = next((t for t in titled if _NAMES.search(t)), first)
    if title in lines:
        at = lines.index(title)
        before = lines[at - 1] if at else ""
        if re.search(r"关于(?:印发|组织|发布|实施|开展|进一步|公布)", before) and not re.search(
            r"(?:通知|办法|意见|措施|公告)$|号$", before
        ):
            title = before + title
    return title


def document_facts(found: Decomposition, source: str) -> dict[str, Any]:
    """文件信息: title, number, issuer, dates; only what the text says."""
    title = _title(found, source)
    facts: dict[str, Any] = {"title": re.sub(r"\s+", "", title)}
    head = [c.text for c in found.clauses[:12] if "preamble" not in found.roles[c.number - 1]]
    number = next((m.group() for text in head if (m := _NUMBER.search(text))), "")
    if number:
        facts["number"] = re.sub(r"\s+", "", number)
    issuer = next(
        (
            t
            for c in found.clauses[:12] + found.clauses[-6:]
            if (t := re.sub(r"\s+", "", c.text)) and _ISSUER.fullmatch(t)
        ),
        "",
    )
    if issuer:
        facts["issuer"] = issuer
    if found.issued:
        facts["issued"] = found.issued
    facts |= validity(found)
    facts["source"] = source
    return facts


_ISSUER = re.compile(r"[\u4e00-\u9fa5（）]{3,40}(?:局|委员会|政府|办公室|厅|国务院)")


def validity(found: Decomposition) -> dict[str, str]:
    """有效期: effective and expires, from 自…起施行 and 有效期…年."""
    out: dict[str, str] = {}
    for c, roles in zip(found.clauses, found.roles, strict=True):
        text = re.sub(r"\s+", "", c.text)
        if "window" not in roles or not re.search(r"施行|实施|执行|有效", text):
            continue
        m = DATE.search(text)
        day = date_of(m) if m else None
        start = (
            day
            if day and len(day) == 10
            else found.issued
            if re.search(r"(?:发布|印发)之日起", text)
            else None
        )
        if start and re.search(r"起(?:正式)?(?:施行|实施|执行)", text):
            out["effective"] = start
            years = re.search(r"有效期(?:为|至)?([一二三四五两\d]+)年", text)
            if years and (n := number(years[1])):
                out["expires"] = later(start, int(n))
        until = re.search(r"有效期?至(?=\d{4}年)", text)
        if until and (m2 := DATE.search(text, until.end())) and (stop := date_of(m2)) and len(stop) == 10:
            out["expires"] = stop
    return out


# ---------------------------------------------------------------- a second run


def clause_diff(before: str, after: str) -> list[tuple[str, str, str]]:
    """条款比对: (kind, old, new) of the clauses of two texts that differ: 新增 删去 改动 改号; white space does not count."""
    old = [re.sub(r"\s+", "", c.text) for c in segment(before)]
    new = [re.sub(r"\s+", "", c.text) for c in segment(after)]
    out: list[tuple[str, str, str]] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            out += _paired(old[a:b], new[c:d])
    return out


_LABEL = re.compile(
    r"^(?:第[一二三四五六七八九十百零\d]+[条章节款]|[（(]?[一二三四五六七八九十\d]{1,3}[）)、.．])"
)


def _paired(old: list[str], new: list[str]) -> list[tuple[str, str, str]]:
    """Clauses of a stretch that differs, each with the one it came from: the likest of those not yet passed."""
    out: list[tuple[str, str, str]] = []
    at = 0
    for text in new:
        bare = _LABEL.sub("", text)
        likest, k = max(
            (
                (difflib.SequenceMatcher(None, _LABEL.sub("", o), bare).ratio(), -i)
                for i, o in enumerate(old[at:], at)
            ),
            default=(0.0, 0),
        )
        if likest < 0.5:
            out.append(("新增", "", text))
            continue
        out += [("删去", o, "") for o in old[at:-k]]
        kind = "改号" if _LABEL.sub("", old[-k]) == bare else "改动"
        out.append((kind, old[-k], text))
        at = -k + 1
    return out + [("删去", o, "") for o in old[at:]]


def verbatim(text: str) -> str:
    """还原原文: the document's own lines of a text.md, without the headings put in."""
    return "\n".join(line for line in text.split("\n") if not re.match(r"#{1,6}\s", line))


def touched(before: str, quotes: Mapping[str, list[str]]) -> list[str]:
    """涉及: the items (name → quotes) that quote something of a clause that changed or went."""
    flat = re.sub(r"\s+", "", before)
    return [name for name, said in quotes.items() if any(len(q) > 3 and q in flat for q in said)]


def quotes_of(text: str) -> list[str]:
    """引文: every quote of a rule file, without white space; the file need not be whole."""
    found = re.findall(r"^\s*(?:- )?quote: (?P<q>.+)$", text, re.MULTILINE)
    return [re.sub(r"\s+", "", q.strip().strip("\"'")) for q in found]
