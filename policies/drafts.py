"""规则草稿: a decomposition as files of a library: document.yaml, text.md, item files with status 草稿 and case skeletons.

What the machine is sure of becomes `when:`, the rest `ask:`; every piece keeps its quote; a person signs.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

from engine.indicators import Dictionary
from policies.segment import Clause, segment

from .decompose.expressions import Proposal, Proposer, own_places
from .decompose.forms import benefit_form, case_skeleton, once, one_line
from .decompose.model import Decomposition, Item
from .decompose.windows import later

ABSTAIN = 0.5  # pieces that score less come before a person first


@dataclass(slots=True)
class Draft:
    """草稿: file name (relative to the library) → text; what a person should look at first; indicators to add."""

    document: str
    files: dict[str, str] = field(default_factory=dict)
    doubtful: list[tuple[float, str, str]] = field(default_factory=list)  # score, item, quote
    missing: dict[str, list[str]] = field(default_factory=dict)  # proposed indicator → quotes
    sure: int = 0
    asked: int = 0


def draft(
    found: Decomposition,
    document_id: str,
    source: str,
    dictionary: Dictionary,
    places: Mapping[str, str],
    as_of: dt.date,
) -> Draft:
    """起草: all files of one document; `places` maps the place words the library knows (本区 …) to a code."""
    out = Draft(document_id)
    labels = heading_labels(found)
    facts = document_facts(found, source)
    own = own_places([facts["title"], facts.get("issuer", "")])
    maker = _Maker(found, out, labels, Proposer(dictionary, places, own))
    out.files[f"{document_id}/text.md"] = text_md(found, labels, facts["title"])
    general, said, exclusive = maker.general()
    if general or exclusive:
        facts["general"] = ({"conditions": {"all": general}} if general else {}) | (
            {"exclusive": exclusive} if exclusive else {}
        )
    out.files[f"{document_id}/document.yaml"] = to_yaml(facts)
    for n, item in enumerate(found.items, 1):
        maker.item(n, item, facts, as_of, general, said)
    return out


def write_draft(made: Draft, library: Path) -> list[Path]:
    """写草稿: the files into a library; returns what was written."""
    written = []
    for name, text in made.files.items():
        path = library / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def to_yaml(data: Any) -> str:
    """成 YAML: in the layout of hand-written rule files."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.allow_unicode = True
    out = StringIO()
    yaml.dump(data, out)
    return out.getvalue()


# ---------------------------------------------------------------- text.md


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


def document_facts(found: Decomposition, source: str) -> dict[str, Any]:
    """文件信息: title, number, issuer, dates; only what the text says."""
    titles = [
        c.text.strip() for c, r in zip(found.clauses[:8], found.roles[:8], strict=False) if "title" in r
    ]
    title = next(
        (t for t in titles if re.search(r"办法|意见|措施|政策|细则|通知|方案|指南|规定", t)),
        titles[0] if titles else source,
    )
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
    from .decompose.quantities import DATE, date_of, number

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


# ---------------------------------------------------------------- items


_EXCLUSIVE = re.compile(r"就高|从优|不重复|择高|择优")
_CATEGORIES = (
    ("资质", re.compile(r"认定|入库|备案|授予.{0,8}称号")),
    ("减免", re.compile(r"减[免征按缴半]|免[征收费]|加计扣除|税率")),
    ("奖补", re.compile(r"奖|补[贴助]|资助|贴息|返还|资金|扶持|元|%")),
    ("权益", re.compile(r"优先|服务|绿色通道|便利|贷款|担保|落户")),
)


class _Maker:
    """Files of one document, one after another."""

    def __init__(self, found: Decomposition, out: Draft, labels: Mapping[int, str], proposer: Proposer):
        self.found, self.out, self.labels, self.proposer = found, out, labels, proposer

    def cite(self, entry: Mapping[str, Any]) -> str:
        at = int(entry["start"])
        clause = max(
            (c for c in self.found.clauses if c.start <= at),
            key=lambda c: c.start,
            default=self.found.clauses[0],
        )
        return self.labels[clause.number]

    def node(self, ident: str, entry: Mapping[str, Any], owner: str) -> tuple[dict[str, Any], Proposal]:
        said = self.proposer.propose(entry["quote"])
        if said.when and entry.get("scope") == "unsure":
            # Sure of the words but not of whom they bind: it must not shut anybody out by itself.
            said = replace(
                said, when="", parts=(), guess=said.when, ask=f"是否符合：{one_line(entry['quote'])}？"
            )
        node: dict[str, Any] = {"id": ident, "cite": self.cite(entry), "quote": one_line(entry["quote"])}
        if said.parts:
            node["all"] = [{"when": part.when} for part in said.parts]
            self.out.sure += 1
        elif said.when:
            node["when"] = said.when
            self.out.sure += 1
        else:
            node["ask"] = said.ask
            self.out.asked += 1
        if said.missing:
            self.out.missing.setdefault(said.missing, []).append(one_line(entry["quote"]))
        if float(entry.get("score", 1.0)) < ABSTAIN:
            self.out.doubtful.append((float(entry["score"]), owner, one_line(entry["quote"])))
        return node, said

    def barred(self, ident: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        quote = one_line(entry["quote"])
        self.out.asked += 1
        return {
            "id": ident,
            "cite": self.cite(entry),
            "quote": quote,
            "ask": f"是否确认没有下列排除情形：{quote}？",
        }

    def general(self) -> tuple[list[dict[str, Any]], dict[str, Proposal], dict[str, Any] | None]:
        nodes, said = [], {}
        for n, e in enumerate(once(self.found.conditions), 1):
            node, proposal = self.node(f"g{n}", e, "通用条件")
            nodes.append(node)
            said[node["id"]] = proposal
        barred, exclusive = self.exclusions(self.found.exclusions, "gx")
        return [*nodes, *barred], said, exclusive

    def exclusions(
        self, entries: Sequence[Mapping[str, Any]], prefix: str
    ) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        nodes: list[dict[str, Any]] = []
        exclusive: dict[str, Any] | None = None
        for n, e in enumerate(once(entries), 1):
            if _EXCLUSIVE.search(e["quote"]) and exclusive is None:
                group = f"{self.out.document}同类扶持"
                exclusive = {
                    "group": group,
                    "pick": "就高",
                    "cite": self.cite(e),
                    "quote": one_line(e["quote"]),
                }
            else:
                nodes.append(self.barred(f"{prefix}{n}", e))
        return nodes, exclusive

    def own_nodes(
        self, item: Item, owner: str
    ) -> tuple[list[dict[str, Any]], dict[str, Proposal], dict[str, Any] | None]:
        nodes, said = [], {}
        for k, e in enumerate(once(item.conditions), 1):
            node, proposal = self.node(f"c{k}", e, owner)
            nodes.append(node)
            said[node["id"]] = proposal
        barred, exclusive = self.exclusions(item.exclusions, "x")
        nodes += barred
        if not nodes:
            first = item.benefits[0]
            quote = one_line(first["quote"])
            nodes = [
                {
                    "id": "c1",
                    "cite": self.cite(first),
                    "quote": quote,
                    "ask": f"是否属于这一条的扶持对象：{quote}？",
                }
            ]
            self.out.asked += 1
        return nodes, said, exclusive

    def item(
        self,
        n: int,
        item: Item,
        facts: Mapping[str, Any],
        as_of: dt.date,
        general: Sequence[Mapping[str, Any]],
        said: Mapping[str, Proposal],
    ) -> None:
        slug = f"item-{n:02d}"
        owner = item.title or slug
        nodes, own, exclusive = self.own_nodes(item, owner)
        data: dict[str, Any] = {"item": f"{self.out.document}/{slug}", "title": owner}
        if facts.get("issuer"):
            data["department"] = facts["issuer"]
        data |= {"category": _category(item), "status": "草稿", "delivery": "申报兑现"}
        data |= {"batches": _batches(item, facts, as_of), "conditions": {"all": nodes}}
        data["benefit"] = benefit_form(item, self.cite, self.proposer)
        if exclusive:
            data["exclusive"] = exclusive
        if item.materials:
            data["materials"] = [one_line(m["quote"]) for m in once(item.materials)]
        if item.score < ABSTAIN:
            self.out.doubtful.append((item.score, owner, one_line(item.benefits[0]["quote"])))
        base = f"{self.out.document}/items/{slug}"
        self.out.files[f"{base}.yaml"] = to_yaml(data)
        told = [g["id"] for g in general] if n > 1 else []
        self.out.files[f"{base}.test.yaml"] = to_yaml(
            case_skeleton(data, [*general, *nodes], {**said, **own}, told)
        )


def _category(item: Item) -> str:
    said = "".join(b["quote"] for b in item.benefits)
    if any(k in b for b in item.benefits for k in ("amount", "rate", "cap", "min")) and not re.search(
        r"减[免征按缴]|免[征收]|税率", said
    ):
        return "奖补"
    return next((name for name, p in _CATEGORIES if p.search(said)), "奖补")


def _batches(item: Item, facts: Mapping[str, Any], as_of: dt.date) -> dict[int, dict[str, Any]]:
    start, stop = item.window.get("from"), item.window.get("to")
    opens = (
        start
        if start and len(start) == 10
        else facts.get("effective")
        or facts.get("issued")
        or (stop and f"{stop[:4]}-01-01")
        or as_of.isoformat()
    )
    opens = max(opens, facts.get("effective") or facts.get("issued") or opens)
    closes = stop if stop and len(stop) == 10 else facts.get("expires") or f"{opens[:4]}-12-31"
    if closes < opens:
        closes = f"{opens[:4]}-12-31"
    year = int(opens[:4])
    return {year: {"year": year - 1, "opens": opens, "closes": closes}}


# ---------------------------------------------------------------- a second run


def clause_diff(before: str, after: str) -> list[tuple[str, str, str]]:
    """条款比对: (kind, old, new) of the clauses of two texts that differ: 新增 删去 改动; white space does not count."""
    old = [re.sub(r"\s+", "", c.text) for c in segment(before)]
    new = [re.sub(r"\s+", "", c.text) for c in segment(after)]
    out: list[tuple[str, str, str]] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        pairs = min(b - a, d - c)
        out += [("改动", old[a + i], new[c + i]) for i in range(pairs)]
        out += [("删去", x, "") for x in old[a + pairs : b]]
        out += [("新增", "", x) for x in new[c + pairs : d]]
    return out


def verbatim(text: str) -> str:
    """还原原文: the document's own lines of a text.md, without the headings put in."""
    return "\n".join(line for line in text.split("\n") if not re.match(r"#{1,6}\s", line))
