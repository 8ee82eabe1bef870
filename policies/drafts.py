"""规则草稿: a decomposition as files of a library: document.yaml, text.md, item files with status 草稿 and case skeletons.

What the machine is sure of becomes `when:`, the rest `ask:`; every piece keeps its quote; a person signs.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from engine.indicators import Dictionary, Indicator

from .decompose.amounts import benefit_form, once, one_line, scale, tops_up
from .decompose.definitions import delivery_words, meanings, number_words, short_names
from .decompose.expressions import Proposal, Proposer, own_places, places_of_offices
from .decompose.facts import PEOPLE
from .decompose.model import Decomposition, Item
from .decompose.reach import ASIDE, UNSURE
from .decompose.references import referred
from .decompose.skeletons import Tree, case_skeleton, of_rows, tree_of
from .decompose.variants import Entry, Split, split
from .decompose.wanted import with_proposed
from .draft_batches import batches_of
from .draft_doubts import (
    contrary,
    in_definition,
    kinds_listed,
    kinds_with_amounts,
    one_kind_of_a_row,
    one_of_several,
)
from .draft_guide import guide_of
from .draft_text import clause_diff, document_facts, heading_labels, text_md, verbatim

ABSTAIN = 0.5  # pieces that score less come before a person first


@dataclass(slots=True)
class Draft:
    """草稿: file name (relative to the library) → text; what a person should look at first; indicators to add."""

    document: str
    files: dict[str, str] = field(default_factory=dict)
    doubtful: list[tuple[float, str, str]] = field(default_factory=list)  # score, item, quote
    missing: dict[str, list[str]] = field(default_factory=dict)  # noun no indicator could be made of → quotes
    proposed: dict[str, Indicator] = field(
        default_factory=dict
    )  # indicators the drafts use and the dictionary lacks
    guesses: list[tuple[str, str, str]] = field(default_factory=list)  # item, expression not sure of, quote
    aside: list[tuple[str, str]] = field(
        default_factory=list
    )  # cite, quote of what a point without an item asks
    blind: list[str] = field(default_factory=list)  # titles of items of which no data decides anything
    placed: bool = False  # whether anything says where a firm must be
    sure: int = 0
    asked: int = 0


def draft(
    found: Decomposition,
    document_id: str,
    source: str,
    dictionary: Dictionary,
    places: Mapping[str, str],
    as_of: dt.date,
    industries: Mapping[str, str] | None = None,
    divisions: Mapping[str, str] | None = None,
) -> Draft:
    """起草: all files of one document; `places` maps the place words the library knows (本区 …) to a code, `industries` names
    of GB/T 4754 and `divisions` names of places to their codes."""
    out = Draft(document_id)
    labels = heading_labels(found)
    facts = document_facts(found, source)
    words = number_words(found.clauses)
    proposer = proposer_of(found, source, dictionary, places, industries, divisions)
    maker = _Maker(found, out, labels, proposer)
    maker.title = facts["title"]
    out.files[f"{document_id}/text.md"] = text_md(found, labels, facts["title"])
    general, exclusive = maker.general()
    if general or exclusive:
        tree = {"conditions": {"all": [t.node() for t in general]}} if general else {}
        facts["general"] = tree | ({"exclusive": exclusive} if exclusive else {})
    if words:
        facts["words"] = words
    out.files[f"{document_id}/document.yaml"] = to_yaml(facts)
    for n, item in enumerate(found.items, 1):
        maker.item(n, item, facts, as_of, general)
    return out


def proposer_of(
    found: Decomposition,
    source: str,
    dictionary: Dictionary,
    places: Mapping[str, str],
    industries: Mapping[str, str] | None = None,
    divisions: Mapping[str, str] | None = None,
) -> Proposer:
    """成式器: proposes expressions in the words of one document: its own places, number words, short names and definitions."""
    facts = document_facts(found, source)
    told = own_places([facts["title"], facts.get("issuer", "")])
    own = {
        **{n: w for n, w in places_of_offices(found.text, divisions or {}).items() if w not in told.values()},
        **told,
    }
    words, short = number_words(found.clauses), short_names(found.clauses)
    return Proposer(dictionary, places, own, industries, words, short, divisions, meanings(found.clauses))


def write_draft(made: Draft, library: Path) -> list[Path]:
    """写草稿: the files into a library, proposed indicators behind its own; returns what was written."""
    written = []
    if made.proposed:
        path = library / "indicators.yaml"
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        text = with_proposed(before, made.document, made.proposed)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
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


_HIGHEST = re.compile(r"就高|从优|不重复|择高|择优|重复(?:享受|申报)")
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
        self.title = ""
        self.bound: list[Tree] = []  # the general conditions: an item doesn't say them again

    def cite(self, entry: Entry) -> str:
        at = int(entry["start"])
        clause = max(
            (c for c in self.found.clauses if c.start <= at),
            key=lambda c: c.start,
            default=self.found.clauses[0],
        )
        return self.labels[clause.number]

    def said(self, ident: str, entry: Entry) -> dict[str, str]:
        return {"id": ident, "cite": self.cite(entry), "quote": one_line(str(entry["quote"]))}

    def condition(self, ident: str, entry: Entry, owner: str) -> Tree:
        """One condition: what it refers to, else what its words fix, else a question."""
        quote = one_line(str(entry["quote"]))
        proposal = self.proposer.propose(str(entry["quote"]), self.found.text, int(entry["start"]))
        if (proposal.sure or proposal.parts) and (
            entry.get("scope") == UNSURE or self.elsewhere(entry, proposal)
        ):
            # Sure of the words but not of whom they bind: it must not shut anybody out by itself.
            proposal = proposal.asked(f"是否符合：{quote}？")
        if not proposal.sure and (tree := self.referring(ident, entry, owner)) is not None:
            return tree
        if proposal.parts:
            return self.parted(ident, entry, proposal, owner)
        return self.counted(tree_of(self.said(ident, entry), proposal), proposal, entry, owner)

    def parted(self, ident: str, entry: Entry, proposal: Proposal, owner: str) -> Tree:
        """拆开: what of a quote is sure as comparisons, the rest as questions, each under its own words."""
        children = []
        for n, (a, b, said) in enumerate(proposal.parts, 1):
            piece = {**entry, "quote": str(entry["quote"])[a:b], "start": int(entry["start"]) + a}
            if said.sure and one_kind_of_a_row(said.leaves, self.found.text, piece["start"], piece["quote"]):
                said = said.asked(f"是否符合：{one_line(piece['quote'])}？")
            tree = tree_of(self.said(f"{ident}_{n}", piece), said)
            children.append(self.counted(tree, said, piece, owner))
        return Tree(self.said(ident, entry), join="all", children=children)

    def elsewhere(self, entry: Entry, proposal: Proposal) -> bool:
        """Whether words are told of a case that is reckoned otherwise (不足两年的，按实际年限), or name what the document itself confers."""
        at = int(entry["start"])
        if one_of_several(self.found.text, at) or kinds_listed(self.found.clauses, at):
            return True
        if in_definition(self.found.text, at, str(entry["quote"])):
            return True
        if one_kind_of_a_row(proposal.leaves, self.found.text, at, str(entry["quote"])):
            return True
        behind = re.sub(r"\s+", "", self.found.text[int(entry["start"]) + len(str(entry["quote"])) :][:24])
        if re.match(
            r"的?[，,](?:按(?:其)?实际(?:年限|月数|天数|经营|发生|时间)|按[^，。；]{0,8}(?:计算|折算)|以实际|视同|由|可不|不受|参照|则)",
            behind,
        ) or re.match(r"的?[）)]", behind):
            return True
        title = self.title
        named = {*proposal.indicators, *(n for _, _, p in proposal.parts for n in p.indicators)}
        return any(n.endswith("有效期至") and n.removesuffix("有效期至") in title for n in named)

    def counted(self, tree: Tree, proposal: Proposal, entry: Entry, owner: str) -> Tree:
        quote = one_line(str(entry["quote"]))
        self.out.sure += proposal.sure
        self.out.asked += not proposal.sure
        for leaf in tree.leaves():
            self.out.proposed |= leaf.new
        if proposal.missing and not proposal.sure:
            self.out.missing.setdefault(proposal.missing, []).append(quote)
        if proposal.guess and not proposal.sure:
            self.out.guesses.append((owner, proposal.guess, quote))
        if float(entry.get("score", 1.0)) < ABSTAIN:
            self.out.doubtful.append((float(entry["score"]), owner, quote))
        return tree

    def referring(self, ident: str, entry: Entry, owner: str) -> Tree | None:
        """引用: a condition that points to another clause (符合第四条规定) as that clause's own conditions."""
        flat = re.sub(r"\s+", "", str(entry["quote"]))
        clauses = self.found.clauses
        spans = [(clauses[k].start, clauses[k].end) for k in referred(flat, int(entry["start"]), clauses)]
        every = [*self.found.conditions, *(c for i in self.found.items for c in i.conditions)]
        meant = once([c for c in every if any(a <= int(c["start"]) < b for a, b in spans)])
        meant = [c for c in meant if c["quote"] != entry["quote"]]
        if not meant:
            return None
        said = self.said(ident, entry) | {"note": f"条文引用“{self.cite(meant[0])}”"}
        children = []
        for n, c in enumerate(meant, 1):
            proposal = self.proposer.propose(str(c["quote"]), self.found.text, int(c["start"]))
            children.append(self.counted(tree_of(self.said(f"{ident}_{n}", c), proposal), proposal, c, owner))
        return Tree(said, join="all", children=self.apart(children, []))

    def barred(self, ident: str, entry: Entry, owner: str) -> Tree:
        proposal = self.proposer.barred(str(entry["quote"]))
        return self.counted(tree_of(self.said(ident, entry), proposal), proposal, entry, owner)

    def general(self) -> tuple[list[Tree], dict[str, Any] | None]:
        """What binds every item."""
        told = {e["quote"] for e in self.found.exclusions}  # what bars is asked once, as what bars
        entries = once([e for e in self.found.conditions if e["quote"] not in told])
        self.out.aside = [
            (self.cite(e), one_line(str(e["quote"]))) for e in entries if e.get("scope") == ASIDE
        ]
        entries = [e for e in entries if e.get("scope") != ASIDE]
        trees = [self.condition(f"g{n}", e, "通用条件") for n, e in enumerate(entries, 1)]
        barred, exclusive = self.exclusions(self.found.exclusions, "gx", "通用条件")
        trees = [self.apart_from_some(t) for t in [*trees, *barred]]
        self.bound = self.apart(trees, [])
        return self.bound, exclusive

    def apart_from_some(self, tree: Tree) -> Tree:
        """What is said of persons, projects or the holders of a title rarely binds every item of a document: it is asked."""
        leaves = tree.leaves()
        if len(self.found.items) < 2 or all(x.indicators <= _OF_EVERYBODY for x in leaves):
            return tree
        self.out.sure -= 1
        self.out.asked += 1
        quote, guess = tree.said.get("quote", ""), "；".join(x.when for x in leaves)
        said = {**tree.said, "note": f"是否约束所有事项要由人定；建议写成：{guess}"}
        return Tree(said, ask=f"是否符合：{quote}？")

    def exclusions(
        self, entries: Sequence[Entry], prefix: str, owner: str
    ) -> tuple[list[Tree], dict[str, Any] | None]:
        trees: list[Tree] = []
        exclusive: dict[str, Any] | None = None
        for n, e in enumerate(once(entries), 1):
            if exclusive is None and (_HIGHEST.search(str(e["quote"])) or tops_up(str(e["quote"]))):
                pick = "补差" if tops_up(str(e["quote"])) else "就高"
                exclusive = {"group": f"{self.out.document}同类扶持", "pick": pick}
                exclusive |= {k: v for k, v in self.said("", e).items() if k != "id"}
            else:
                trees.append(self.barred(f"{prefix}{n}", e, owner))
        return trees, exclusive

    def apart(self, trees: Sequence[Tree], before: Sequence[Tree]) -> list[Tree]:
        """No indicator is compared twice: what is said again word for word is left to the first, what differs is asked, since a firm
        that meets one of two thresholds may still be meant."""
        taken: dict[str, str] = {n: x.when for t in before for x in t.leaves() for n in x.indicators}
        out = []
        for t in trees:
            leaves = t.leaves()
            if leaves and all(taken.get(n) == x.when for x in leaves for n in x.indicators):
                self.out.sure -= 1
                continue
            own = [n for x in leaves for n in x.indicators]
            twice = t.join == "any" and contrary(leaves)
            if (twice or any(n in taken for n in own)) and t.said:
                quote = t.said.get("quote", "")
                guess = "；".join(x.when for x in leaves)
                t = Tree({**t.said, "note": f"建议写成：{guess}"}, ask=f"是否符合：{quote}？")
                self.out.sure -= 1
                self.out.asked += 1
            else:
                taken |= {n: x.when for x in leaves for n in x.indicators}
            out.append(t)
        return out

    def own_trees(self, item: Item, owner: str, parts: Split) -> tuple[list[Tree], dict[str, Any] | None]:
        """An item's numbered conditions: what binds all of it, then its alternatives as one, then what bars."""
        shared, kinds = kinds_with_amounts(once(parts.shared), item.benefits)
        trees = [self.condition(f"c{k}", e, owner) for k, e in enumerate(shared, 1)]
        if kinds:
            children = [self.condition(f"k{k}", e, owner) for k, e in enumerate(kinds, 1)]
            trees.append(Tree(self.said("k", kinds[0]), join="any", children=children))
        if parts.variants:
            trees.append(self.alternatives(parts, owner))
        barred, exclusive = self.exclusions(item.exclusions, "x", owner)
        trees = self.apart([*trees, *barred], self.bound)
        if not trees:
            first = item.benefits[0]
            trees = [
                Tree(
                    self.said("c1", first), ask=f"是否属于这一条的扶持对象：{one_line(str(first['quote']))}？"
                )
            ]
            self.out.asked += 1
        return trees, exclusive

    def alternatives(self, parts: Split, owner: str) -> Tree:
        """分档条件: one of several levels suffices; steps of one scale are the lowest of them."""
        first = parts.variants[0].conditions[0]
        if (found := scale(parts, self.found.text, self.proposer)) is not None:
            entry = found[1][0][3].conditions[0]
            proposal = self.proposer.propose(str(entry["quote"]), self.found.text, int(entry["start"]))
            if proposal.sure:
                return self.counted(tree_of(self.said("v", entry), proposal), proposal, entry, owner)
        children = []
        for n, v in enumerate(parts.variants, 1):
            own = [
                self.condition(f"v{n}" if len(v.conditions) == 1 else f"v{n}_{k}", c, owner)
                for k, c in enumerate(v.conditions, 1)
            ]
            children.append(own[0] if len(own) == 1 else Tree({"id": f"v{n}"}, join="all", children=own))
        return Tree(self.said("v", first), join="any", children=children)

    def item(
        self, n: int, item: Item, facts: Mapping[str, Any], as_of: dt.date, general: Sequence[Tree]
    ) -> None:
        slug = f"item-{n:02d}"
        owner = item.title or slug
        stated, limits = _apart_from_limits(once(item.conditions))
        parts = split(stated, item.benefits, self.found.text)
        trees, exclusive = self.own_trees(item, owner, parts)
        data: dict[str, Any] = {"item": f"{self.out.document}/{slug}", "title": owner}
        if facts.get("issuer"):
            data["department"] = facts["issuer"]
        data |= {"category": _category(item), "status": "草稿"}
        named = {name for t in trees for x in t.leaves() for name in x.indicators}
        everywhere = {name for t in general for x in t.leaves() for name in x.indicators}
        if not named | everywhere:
            self.out.blind.append(owner)
        self.out.placed |= any(name.endswith("地区划") for name in named | everywhere)
        if any(of_rows(n) for n in named):
            data["subject"] = "人才" if PEOPLE & named else "项目"
        data |= self.delivery(item)
        data |= {
            "batches": batches_of(item.window, facts, as_of),
            "conditions": {"all": [t.node() for t in trees]},
        }
        new: dict[str, Indicator] = {}
        data["benefit"] = benefit_form(
            item.benefits,
            parts,
            self.found.text,
            self.cite,
            self.proposer,
            item.title,
            new,
            data.get("subject") == "人才",
        )
        self.out.proposed |= new
        if limits:
            limited = "；".join(f"{self.cite(e)}“{one_line(str(e['quote']))}”" for e in limits)
            before = f"{data['benefit']['note']}；" if "note" in data["benefit"] else ""
            data["benefit"]["note"] = f"{before}兑现时另有限制：{limited}"
        if exclusive:
            data["exclusive"] = exclusive
        if item.materials:
            data["materials"] = [one_line(str(m["quote"])) for m in once(item.materials)]
        data |= guide_of(self.found, item)
        if item.score < ABSTAIN:
            self.out.doubtful.append((item.score, owner, one_line(str(item.benefits[0]["quote"]))))
        base = f"{self.out.document}/items/{slug}"
        self.out.files[f"{base}.yaml"] = to_yaml(data)
        told = [g.ident for g in general] if n > 1 else []
        self.out.files[f"{base}.test.yaml"] = to_yaml(case_skeleton(data, [*general, *trees], told))

    def delivery(self, item: Item) -> dict[str, str]:
        """兑现方式: as the words say it, the item's own first; nothing where the text doesn't speak of it."""
        own = [self.found.clauses[k].text for k in item.clauses]
        name, _ = delivery_words(own)
        if not name or name == "申报兑现":
            name = delivery_words([c.text for c in self.found.clauses])[0] or name
        if name == "免申即享":
            # An item with a question, a paper or an amount that no data fix may not be paid unasked.
            return {"note": "条文写明免申即享；条件、材料、数额全部能由数据认定后再改 delivery"}
        return {"delivery": name} if name else {}


# What a document may ask of all applicants alike: where and when they were founded, what they are, what they owe, what lists they are on.
_OF_EVERYBODY = frozenset(
    (
        "登记地区划",
        "税务登记地区划",
        "法人资格",
        "成立日期",
        "注册资本",
        "企业类型",
        "企业规模",
        "行业代码",
        "主体类别",
        "居民企业",
        "征收方式",
        "一般纳税人",
        "一套表单位类别",
        "依法纳统",
        "严重违法失信名单",
        "经营异常名录",
        "失信被执行人",
        "重大税收违法",
        "科研失信",
        "欠缴税款",
        "社会保险欠费",
        "纳税信用等级",
        "失业保险参保状态",
        "上市日期",
    )
)
_LIMITS = re.compile(
    r"(?:[^，。；]{0,12}(?:补贴|贴息|资助|奖励|补助|享受|扶持|支持|优惠|执行|政策)的?(?:期限|年限|时限)|期限)(?:一般|原则上|最长|累计|最多)*(?:不得?超过|为|至多)?[一二两三四五六七八九十\d]+(?:年|个月)"
    r"|(?:给予|可给予)?(?:企业|单位)?(?:连续|最长)?(?:不超过)?[一二两三四五\d]+年(?:的)?(?:奖励|补贴|补助|扶持|社会保险补贴)?"
    r"|(?:单个|每家|每个|同一|每)(?:企业|单位|项目|人|申请人|基金出资方|基金|机构)?(?:每年|年度)?(?:最多|只能|仅可|仅能|限)(?:申[报请]|享受)[^，。；]{0,8}"
    r"|[^，。；]{0,10}(?:补贴|资助|奖励|支持)(?:累计)?不超过[一二两三四五\d]+年"
)


def _apart_from_limits(entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Conditions, and what only limits the payment (补贴期限最长不超过3年): no question to ask of an applicant."""
    limits = [e for e in entries if _LIMITS.fullmatch(re.sub(r"\s+", "", str(e["quote"])))]
    return [e for e in entries if not any(e is x for x in limits)], limits


def _category(item: Item) -> str:
    said = "".join(b["quote"] for b in item.benefits)
    if any(k in b for b in item.benefits for k in ("amount", "rate", "cap", "min")) and not re.search(
        r"减[免征按缴]|免[征收]|税率", said
    ):
        return "奖补"
    return next((name for name, p in _CATEGORIES if p.search(said)), "奖补")


__all__ = ["Draft", "clause_diff", "draft", "proposer_of", "to_yaml", "verbatim", "write_draft"]
