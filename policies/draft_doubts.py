"""草稿存疑: where words are sure but not whom they bind: one of several, a kind in a list of kinds, the words of a definition."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.segment import Clause

from .decompose.facts import Leaf
from .decompose.variants import Entry

_EITHER = re.compile(r"(?:之一|任意?一(?:项|条|款))(?:的)?(?:[^。；\n：:]{0,12})?[：:，,。]?[ \t]*\n?")


def one_of_several(text: str, at: int) -> bool:
    """Whether a place stands in a list of which one suffices (符合下列条件之一：(1)… (2)…)."""
    before = text[max(0, at - 700) : at]
    leads = list(_EITHER.finditer(before))
    if not leads:
        return False
    lead = leads[-1]
    if not before[lead.end() :].strip():
        return True
    first = re.match(
        r"\s*(?P<m>[（(]?[一二三四五六七八九十\d]{1,2}[）).、．]|[①-⑳·•●-])", before[lead.end() :]
    )
    if first is None:
        return False
    kind = _mark(first["m"])
    marks = [
        _mark(m[1])
        for m in re.finditer(
            r"\n\s*([（(]?[一二三四五六七八九十\d]{1,2}[）).、．]|[①-⑳·•●-]|第[一二三四五六七八九十百]+条)",
            before[lead.end() :],
        )
    ]
    return all(k == kind for k in marks)


def _mark(label: str) -> str:
    return re.sub(r"[一二三四五六七八九十百]+", "一", re.sub(r"[\d①-⑳]+", "1", label))


def in_definition(text: str, at: int, quote: str) -> bool:
    """Whether a place stands in the words that explain a term (本办法所称…，是指…)."""
    sentence = re.split(r"[。；\n]", text[max(0, at - 160) : at])[-1]
    return bool(re.search(r"(?:是|系|均?)指|所称", sentence)) and not re.search(r"是指|所称", quote)


def contrary(leaves: Sequence[Leaf]) -> bool:
    """Whether one indicator is compared in two ways, other than as a member of several lists."""
    said: dict[str, set[str]] = {}
    for x in leaves:
        if not re.search(r' (?:含|in|=) ["\[]', x.when):
            for n in x.indicators:
                said.setdefault(n, set()).add(x.when)
    return any(len(whens) > 1 for whens in said.values())


# A point that names one kind of applicant or thing (…的人才；…的国内发明专利) rather than says what must be so.
_KIND = re.compile(
    r"的(?:[^，。；的]{0,30})(?:人才|人员|个人|毕业生|专利|专利申请|PCT申请|企业|单位|机构|项目|产品|团队|平台|者)(?:（[^）]*）)?[；;。，,：:]?$"
)


# What ends a list of alternatives: whoever else (…的其他人才).
_THE_REST = re.compile(
    r"其[他它余](?:[^，。；]{0,8})(?:人才|人员|个人|企业|单位|机构|项目|组织|团队)(?:等)?[；;。]?$"
)


def kinds_listed(clauses: Sequence[Clause], at: int) -> bool:
    """种类列举: whether a place stands in a point of a list whose points name kinds, at least two of them and most: then one of
    the kinds suffices, whatever the line over them says."""
    c = max((c for c in clauses if c.start <= at), key=lambda c: c.start)
    if not c.first:
        return False
    alike = (c.sort, c.headings)
    run = [x for x in clauses if x.first and (x.sort, x.headings) == alike] if c.label else [c]
    for step in () if c.label else (-1, 1):
        n = c.number - 1 + step
        while 0 <= n < len(clauses) and (clauses[n].sort, clauses[n].headings) == alike:
            run += [clauses[n]] if clauses[n].first else []
            n += step
    told = [re.sub(r"\s+", "", x.text) for x in sorted(run, key=lambda x: x.number)]
    if len(told) > 2 and _THE_REST.search(told[-1]):
        return True
    named = sum(bool(_KIND.search(t)) for t in told)
    return bool(_KIND.search(re.sub(r"\s+", "", c.text))) and named >= 2 and 2 * named > len(run)


def kinds_with_amounts(
    conditions: Sequence[Entry], benefits: Sequence[Entry]
) -> tuple[list[Entry], list[Entry]]:
    """各得其数: conditions that bind all, and those that stand inside one benefit's words, each with an amount of its own
    (最高限额为甲类企业20万元、乙类企业10万元): one of them suffices. A single one inside binds as any other."""
    spans = {(int(b["start"]), int(b["start"]) + len(str(b["quote"]))) for b in benefits}
    for a, z in sorted(spans):
        inside = [
            c for c in conditions if a <= int(c["start"]) and int(c["start"]) + len(str(c["quote"])) <= z
        ]
        sums = sum((int(b["start"]), int(b["start"]) + len(str(b["quote"]))) == (a, z) for b in benefits)
        if len(inside) > 1 and sums > 1:
            return [c for c in conditions if not any(c is x for x in inside)], inside
    return list(conditions), []


_KINDS_OF_APPLICANT = frozenset(("主体类别", "人员类别", "机构类别", "企业规模"))
_NOUN_BEFORE = re.compile(
    r"(?:企业|单位|机构|组织|个人|人员|毕业生|个体户|工商户|合作社|社团|团体|团队|平台|载体|人才|者|户)(?:（[^）]*）)?(?:，|[、和及或与]|以及|或者)$"
)
_NOUN_BEHIND = re.compile(
    r"^(?:、|以?及|或者?|和|与|等|，(?:民办非企业|事业|社会|个体|农民)[^，。；的]{0,8}(?:单位|合作社|工商户|组织|机构|团体)(?:$|[，。；、和及或]))"
)


def one_kind_of_a_row(leaves: Sequence[Leaf], text: str, at: int, quote: str) -> bool:
    """列举之一: whether a quote that says only of what kind an applicant is stands in a row of kinds (小微企业，合作社和…), of which
    another piece holds the rest."""
    if not any(x.indicators <= _KINDS_OF_APPLICANT for x in leaves):
        return False
    before = re.sub(r"\s+", "", text[max(0, at - 40) : at])
    behind = re.sub(r"\s+", "", text[at + len(quote) : at + len(quote) + 16])
    return bool(_NOUN_BEFORE.search(before) or _NOUN_BEHIND.match(behind))
