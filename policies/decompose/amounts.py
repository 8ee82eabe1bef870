"""奖补写法: an item's benefit as rule files hold it: amounts, shares of a known indicator, bands, cases, additions, limits, instalments."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.indicators import Indicator

from .bases import Reckoned, reckoned, yuan
from .expressions import Proposer
from .variants import KEYS, Entry, Split, Variant

Cite = Callable[[Entry], str]
_PER_FIRM = re.compile(r"(?:单个|每个|每家|同一|单家|每户)(?:申[报请])?(?:企业|单位|机构|主体)")
_YEAR_BEFORE = re.compile(r"上一?(?:会计|纳税|自然)?年度?")
_EXCESS = re.compile(r"超[过出](?P<n>[\d.]+(?:万|亿)?元)(?:以上)?的?(?:部分|增量)")
_INSTALMENT = re.compile(
    r"(?P<q>(?:分[两二三四五\d](?:年|次|期|批)[^。；]{0,40}?(?:拨付|兑现|发放|支付|给付))|[^，。；]{0,16}(?:首期|第[一二三]年|首年)[^，。；]{0,10}(?P<p>\d+)%[^。；]{0,30})"
)
_TOP_UP = re.compile(r"补[足差]|差额(?:部分)?(?:补|给予)")


def one_line(quote: str) -> str:
    """成一行: a quote without line breaks; the checker compares without white space."""
    return re.sub(r"\s*\n\s*", "", quote).strip()


def once(entries: Sequence[Entry]) -> list[Entry]:
    """去重: entries, each quote once."""
    out: dict[str, Entry] = {}
    for e in entries:
        out.setdefault(str(e["quote"]), e)
    return list(out.values())


def benefit_form(
    benefits: Sequence[Entry],
    parts: Split,
    text: str,
    cite: Cite,
    proposer: Proposer,
    title: str = "",
    proposed: dict[str, Indicator] | None = None,
    each: bool = False,
) -> dict[str, Any]:
    """奖补写法: the amount as far as the words fix it; an interval where they don't; words where nothing is computable.

    Indicators it needs and the dictionary lacks, told apart by the item's `title`, go into `proposed`. `each`: a row of the item is
    one person.
    """
    told = [b for b in benefits if any(k in b for k in KEYS)] or list(benefits)
    more = [b for v in parts.more for b in v.benefits]
    main = [b for b in told if not any(b is x for x in more)] or told
    out: dict[str, Any] = {"cite": cite(main[0]), "quote": one_line(str(main[0]["quote"]))}
    form = (
        _bands(parts, text, proposer)
        or _cases(parts, proposer)
        or _paired(parts, main, proposer)
        or _excess(main, text, proposer)
    )
    base = ""
    if form is None:
        form = _plain(main, text, proposer)
        if "words" in form and (found := _reckoned(main, text, title, proposer, each)) is not None:
            form, base = found.form, found.base
            if proposed is not None:
                proposed |= found.new
    out |= form | _limits(main, form, text)
    if not {"words", "upto"} & set(form) and (adds := _adds(parts.more, cite, proposer, base or _base(form))):
        out["adds"] = adds
    if rows := instalments(main, text):
        out["instalments"] = rows
    if "words" in form:
        out["note"] = f"数额没有写成算式：{_reason(main, proposer)}"
    return out


def _reason(main: Sequence[Entry], proposer: Proposer) -> str:
    """Why an amount stays words, for the person who is to write it."""
    said = "".join(str(b["quote"]) for b in main)
    numbers = [b for b in main if any(k in b for k in KEYS)]
    if not numbers:
        return "条文没有写数额"
    for b in numbers:
        base = re.sub(r"^(?:其|企业|当年|实际)+", "", re.sub(r"\s+", "", str(b.get("base", ""))))
        if (by := proposer.measure(base)).endswith("[Y]"):
            return f"按“{by.removesuffix('[Y]')}”计算，条文没有写哪一年"
    if re.search(r"利率|LPR|基点|BP", said):
        return "按利率计算，要先定贷款和利率的指标"
    if re.search(r"最低工资|平均工资|缴费基数", said):
        return "按当地公布的标准计算，要先定这个标准的数"
    if re.search(r"一事一议", said):
        return "一事一议"
    if len([b for b in numbers if b.get("kind") != "cap"]) > 1:
        return "有几个数额，各给谁要由人分档"
    return "按什么计算，条文没有写成一个指标能表示的话"


def _reckoned(
    main: Sequence[Entry], text: str, title: str, proposer: Proposer, each: bool
) -> Reckoned | None:
    """One amount, with the caps beside it, from a base that has to be proposed."""
    told = [b for b in main if b.get("kind") not in ("cap", "other")]
    if len(told) != 1 or any(
        b.get("kind") == "other" and not re.search(r"元|%", str(b["quote"])) for b in main if b is not told[0]
    ):
        return None
    return reckoned(told[0], _sentence(text, told[0]), title, proposer, each)


def _base(form: Mapping[str, Any]) -> str:
    """What a plain share is a share of."""
    m = re.fullmatch(r"(?P<b>\S+) \* [\d.]+%", str(form.get("amount", "")))
    return m["b"] if m else ""


def tops_up(quote: str) -> bool:
    """补差: whether an exclusion's words say that only the difference is paid."""
    return bool(_TOP_UP.search(quote))


# ---------------------------------------------------------------- bands and cases


def _fixed(v: Variant) -> float | None:
    """The one fixed sum of a variant; None where it is anything else."""
    if len(v.benefits) == 1 and v.benefits[0].get("kind") == "fixed":
        return float(v.benefits[0]["amount"])
    return None


def scale(
    parts: Split, text: str, proposer: Proposer
) -> tuple[str, list[tuple[str, float, float, Variant]]] | None:
    """分档尺度: (expression, [(operator, low, high, variant)…] from low to high) where every variant is one step of one known
    indicator of money or number; else None."""
    if len(parts.variants) < 2 or any(len(v.conditions) != 1 for v in parts.variants):
        return None
    steps = []
    for v in parts.variants:
        c = v.conditions[0]
        if c.get("kind") != "numeric" or c.get("op") not in (">=", ">", "between"):
            return None
        low, high = c["value"] if c["op"] == "between" else (c["value"], float("inf"))
        steps.append((str(c["op"]), float(low), float(high), v))
    steps.sort(key=lambda s: s[1])
    ends = all(a[2] in (b[1], float("inf")) for a, b in itertools.pairwise(steps))
    if not ends or len({s[1] for s in steps}) < len(steps):
        return None
    first = min(parts.variants, key=lambda v: int(v.conditions[0]["start"])).conditions[0]
    said = re.sub(r"\s+", "", str(first["quote"]))
    by = proposer.measure(re.split(r"[\d]", said)[0])
    if not by or (by.endswith("[Y]") and not _YEAR_BEFORE.search(said)):
        return None
    return by, steps


def _bands(parts: Split, text: str, proposer: Proposer) -> dict[str, Any] | None:
    found = scale(parts, text, proposer)
    if found is None:
        return None
    by, steps = found
    amounts = [_fixed(v) for _, _, _, v in steps]
    if any(a is None for a in amounts):
        return None
    rows: list[dict[str, str]] = [_edge(steps[0]) | {"amount": "0元"}]
    for amount, after in zip(amounts, [*steps[1:], None], strict=True):
        rows.append((_edge(after) if after else {}) | {"amount": yuan(float(amount or 0))})
    return {"bands": {"by": by, "steps": rows}}


def _edge(step: tuple[str, float, float, Variant]) -> dict[str, str]:
    """Where the step below ends: its number belongs to this step unless the words say 超过."""
    return {"upto" if step[0] == ">" else "below": yuan(step[1])}


def _cases(parts: Split, proposer: Proposer) -> dict[str, Any] | None:
    """Alternatives by conditions that are all sure, each with one fixed sum, the greatest first."""
    rows = []
    for v in parts.variants:
        amount, said = _fixed(v), [proposer.propose(str(c["quote"])) for c in v.conditions]
        if amount is None or not said or not all(s.sure for s in said):
            return None
        nodes = [s.node() for s in said]
        rows.append((amount, {**(nodes[0] if len(nodes) == 1 else {"all": nodes}), "amount": yuan(amount)}))
    return {"cases": [row for _, row in sorted(rows, key=lambda r: -r[0])]} if rows else None


def _paired(parts: Split, main: Sequence[Entry], proposer: Proposer) -> dict[str, Any] | None:
    """分别给予: as many sums as one condition names levels (认定为国家级、省级…的，分别给予…), each for the level at its place, the greatest first."""
    sums = [float(b["amount"]) for b in main if b.get("kind") == "fixed"]
    one = len({(b["start"], b["quote"]) for b in main}) == 1 and "分别" in str(main[0]["quote"])
    if parts.variants or len(sums) < 2 or len(sums) != len(main) or not one:
        return None
    for c in parts.shared:
        said = proposer.propose(str(c["quote"]))
        if said.sure and said.join == "any" and len(said.leaves) == len(sums):
            rows = sorted(zip(sums, said.leaves, strict=True), key=lambda r: -r[0])
            return {"cases": [{**leaf.node(), "amount": yuan(amount)} for amount, leaf in rows]}
    return None


# ---------------------------------------------------------------- one amount


def _excess(main: Sequence[Entry], text: str, proposer: Proposer) -> dict[str, Any] | None:
    """A rate of what lies above a sum of a known indicator (超过500万元的部分按10%给予补助)."""
    rates = [b for b in main if "rate" in b]
    if len(rates) != 1 or len(main) != 1:
        return None
    sentence = _sentence(text, rates[0])
    m = _EXCESS.search(sentence)
    if m is None:
        return None
    head = re.split(r"[，。；、]", sentence[: m.start()])[-1]
    by = proposer.measure(head)
    if not by or (by.endswith("[Y]") and not _YEAR_BEFORE.search(head)):
        return None
    return {
        "bands": {
            "by": by,
            "kind": "超额",
            "from": m["n"],
            "steps": [{"rate": f"{rates[0]['rate'] * 100:g}%"}],
        }
    }


def _plain(main: Sequence[Entry], text: str, proposer: Proposer) -> dict[str, Any]:
    fixed = [b["amount"] for b in main if b.get("kind") == "fixed"]
    caps = [b["cap"] for b in main if "cap" in b]
    rates = [b for b in main if "rate" in b]
    if fixed and not rates and all(b.get("kind") in ("fixed", "cap", "other") for b in main):
        if len(fixed) == 1:
            return {"amount": yuan(fixed[0])}
        return {"range": {"low": yuan(min(fixed)), "high": yuan(max(fixed))}}
    money = [b for b in main if b.get("kind") == "range" and b.get("max", 0) > 1]
    if len(main) == 1 and money:
        return {"range": {"low": yuan(money[0]["min"]), "high": yuan(money[0]["max"])}}
    if len(rates) == 1 and len(main) == 1 and (share := _share(rates[0], text, proposer)):
        return share
    if caps and all(b.get("kind") == "cap" for b in main):
        return {"upto": yuan(max(caps))}
    return {"words": "；".join(dict.fromkeys(one_line(str(b["quote"])) for b in main))}


def _share(rate: Entry, text: str, proposer: Proposer) -> dict[str, Any] | None:
    """A share of an indicator whose year the sentence says; 最高 a share spreads from nothing to it."""
    base = re.sub(r"^(?:其|企业|当年|实际)+", "", re.sub(r"\s+", "", str(rate.get("base", ""))))
    by = proposer.measure(base)
    if not by or rate["rate"] > 1 or (by.endswith("[Y]") and not _YEAR_BEFORE.search(_sentence(text, rate))):
        return None
    return {"upto" if rate.get("up_to") else "amount": f"{by} * {rate['rate'] * 100:g}%"}


def _limits(main: Sequence[Entry], form: Mapping[str, Any], text: str) -> dict[str, str]:
    """最高: what bounds one grant, or the firm's sum where the words speak of 单个企业."""
    caps = [float(b["cap"]) for b in main if "cap" in b]
    if not caps or "upto" in form or "range" in form:
        return {}
    if "amount" in form and (m := re.fullmatch(r"([\d.]+)(万|亿)?元", str(form["amount"]))) is not None:
        value = float(m[1]) * {"万": 1e4, "亿": 1e8}.get(m[2] or "", 1.0)
        if max(caps) <= value:
            return {}
    greatest = max((b for b in main if "cap" in b), key=lambda b: float(b["cap"]))
    said = _sentence(text, greatest)
    named = _PER_FIRM.search(said[: said.rfind("最高") + 1] if "最高" in said else said)
    return {"cap_per_enterprise" if named else "cap": yuan(max(caps))}


def _points(v: Variant, base: str) -> str:
    """再提高…个百分点: so many points more of the base."""
    if len(v.benefits) != 1 or not base or "rate" not in v.benefits[0]:
        return ""
    if not re.search(r"百分点", str(v.benefits[0]["quote"])):
        return ""
    return f"{base} * {float(v.benefits[0]['rate']) * 100:g}%"


def _adds(more: Sequence[Variant], cite: Cite, proposer: Proposer, base: str) -> list[dict[str, Any]]:
    """另加: sums, or points of the base, that come on top, each under its own condition."""
    out = []
    for n, v in enumerate(more, 1):
        fixed = _fixed(v)
        amount = yuan(fixed) if fixed is not None else _points(v, base)
        if not amount or not v.conditions:
            continue
        first = v.conditions[0]
        said = [proposer.propose(str(c["quote"])) for c in v.conditions]
        if all(s.sure for s in said):
            nodes: list[dict[str, Any]] = [dict(s.node()) for s in said]
        else:
            words = "，".join(one_line(str(c["quote"])) for c in v.conditions)
            nodes = [{"ask": f"是否符合：{words}？"}]
        node = nodes[0] if len(nodes) == 1 else {"all": nodes}
        out.append(
            {
                "id": f"add{n}",
                "cite": cite(first),
                "quote": one_line(str(first["quote"])),
                **node,
                "amount": amount,
            }
        )
    return out


def instalments(main: Sequence[Entry], text: str) -> list[dict[str, str]]:
    """分期: how the sum is paid out over time, as the sentence says."""
    out = []
    for said in dict.fromkeys(_sentence(text, b) for b in main):
        if m := _INSTALMENT.search(said):
            out.append({"quote": m["q"]} | ({"share": f"{m['p']}%"} if m["p"] else {}))
    return out


def _sentence(text: str, entry: Entry) -> str:
    """The sentence an entry stands in, without white space."""
    at = int(entry["start"])
    a = max(text.rfind(ch, 0, at) for ch in "。；\n") + 1
    ends = [i for ch in "。；\n" if (i := text.find(ch, at + len(str(entry["quote"])))) >= 0]
    return re.sub(r"\s+", "", text[a : min(ends, default=len(text))])
