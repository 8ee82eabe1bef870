"""名单的筛选、排序、分页: everything one can see of a list, from its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from analysis import looking
from desk.office import CODE, NAME
from store.review import State

PAGE_ROWS = 100
TODO = ("待处理", "被退回")
SEGMENTS = ("待处理", "已问", "待复核", "已通过", "未纳入", "全部")
WHY = ("只差人工判断", "缺数据")
SINCE = {"新增": "新", "有变化": "变"}
SORTS = {
    "expected": "期望金额", "amount": "金额", "score": "估计", "name": "企业名称", "change": "昨夜有变化", "open": "待核实条数",
}  # fmt: skip
DEFAULT_SORT = "-change,-expected"
KNOWN = (
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
    "told",
    "done",
)


@dataclass(frozen=True)
class Filters:
    """筛选: what the address asks for; empty means all."""

    verdict: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    stuck: int = 0
    since: tuple[str, ...] = ()
    state: str = "待处理"
    officer: str = ""
    industry: tuple[str, ...] = ()
    q: str = ""
    sort: str = DEFAULT_SORT
    page: int = 1
    run: int | None = None
    dropped: tuple[str, ...] = field(default=())

    def address(self) -> dict[str, object]:
        """回到地址: keys with the defaults left out."""
        return {
            "verdict": self.verdict, "why": self.why, "stuck": self.stuck or None, "since": self.since,
            "state": "" if self.state == "待处理" else self.state, "officer": self.officer,
            "industry": self.industry, "q": self.q, "sort": "" if self.sort == DEFAULT_SORT else self.sort,
            "page": self.page if self.page > 1 else None, "run": self.run,
        }  # fmt: skip

    def but(self, **changes: object) -> dict[str, object]:
        """改一处的地址; back to page one unless the page is what changes."""
        return replace(self, **{"page": 1, **changes}).address()  # type: ignore[arg-type]


def read_filters(query: Mapping[str, str], many: Mapping[str, list[str]]) -> Filters:
    """读地址: unknown keys and values are dropped and named in `dropped`."""
    dropped = [k for k in query if k not in KNOWN]

    def several(name: str, allowed: tuple[str, ...] | None) -> tuple[str, ...]:
        given = [v for value in many.get(name, []) for v in value.split(",") if v]
        good = tuple(dict.fromkeys(v for v in given if allowed is None or v in allowed))
        if len(good) < len(set(given)):
            dropped.append(name)
        return good

    def whole(name: str, most: int) -> int:
        text = query.get(name, "")
        if text and not (text.isdecimal() and len(text) < 16 and 0 < int(text) <= most):
            dropped.append(name)
            return 0
        return int(text or 0)

    state = query.get("state", "待处理")
    sort = query.get("sort", DEFAULT_SORT)
    if state not in SEGMENTS:
        dropped.append("state")
        state = "待处理"
    if any(part.lstrip("-") not in SORTS for part in sort.split(",")):
        dropped.append("sort")
        sort = DEFAULT_SORT
    return Filters(
        verdict=several("verdict", ("符合", "待核实")), why=several("why", WHY), stuck=whole("stuck", 999),
        since=several("since", tuple(SINCE)), state=state, officer=query.get("officer", "")[:64],
        industry=several("industry", None), q=query.get("q", "").strip()[:60], sort=sort,
        page=whole("page", 100_000) or 1, run=whole("run", 10**9) or None, dropped=tuple(dict.fromkeys(dropped)),
    )  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """名单的一页, with the counts and sums of the same rows."""

    rows: pd.DataFrame
    total: int
    pages: int
    low: float
    known: int
    open_amounts: int
    segments: dict[str, int]
    facets: dict[str, list[tuple[str, str, int]]]
    order: np.ndarray  # where the rows stand among the hits, in the order of the list


def segment(word: str) -> str:
    """处理状态归到哪一段."""
    if word in TODO:
        return "待处理"
    return "已问" if word.startswith("已问") or word == "暂缓" else word


def list_page(
    hits: pd.DataFrame, ids: tuple[str, ...], states: Mapping[str, State], mine: set[str], filters: Filters
) -> Listing:
    """名单: filter, count, sort and cut one page; counts of the segments leave the segment itself out."""
    if not len(hits):
        return Listing(hits, 0, 1, 0.0, 0, 0, dict.fromkeys(SEGMENTS, 0), {}, np.zeros(0, np.intp))
    words = _words(hits, states)
    masks = _masks(hits, ids, mine, filters)
    everything = np.logical_and.reduce(list(masks.values())) if masks else np.ones(len(hits), bool)
    counts = {s: int((everything & (words == n)).sum()) for n, s in enumerate(SEGMENTS[:-1])}
    counts["全部"] = int(everything.sum())
    whole = filters.state == "全部"
    in_state = np.ones(len(hits), bool) if whole else words == SEGMENTS.index(filters.state)
    order = _sorted(hits, np.flatnonzero(everything & in_state), filters.sort)
    start = (filters.page - 1) * PAGE_ROWS
    low = hits["paid_low"].to_numpy(float)[order]
    known = int((~np.isnan(low)).sum())
    return Listing(
        hits.iloc[order[start : start + PAGE_ROWS]], len(order), max(-(-len(order) // PAGE_ROWS), 1),
        float(np.nansum(low)), known, len(order) - known, counts, _facets(hits, masks, in_state, mine), order,
    )  # fmt: skip


def _words(hits: pd.DataFrame, states: Mapping[str, State]) -> np.ndarray:
    """每一条在哪一段, as the segment's place: most of a long list is 待处理, and only what was dealt with is looked up."""
    out = np.full(len(hits), SEGMENTS.index("待处理"), np.int8)
    if states:
        at = np.flatnonzero(hits[CODE].isin(list(states)).to_numpy())
        for row, code in zip(at, hits[CODE].iloc[at], strict=True):
            out[row] = SEGMENTS.index(segment(states[code].word))
    return out


def _masks(
    hits: pd.DataFrame, ids: tuple[str, ...], mine: set[str], filters: Filters
) -> dict[str, np.ndarray]:
    out: dict[str, np.ndarray] = {}
    if filters.verdict:
        out["verdict"] = hits["verdict"].isin(filters.verdict).to_numpy()
    if filters.why:
        out["why"] = _any(hits, {"只差人工判断": "only_ask", "缺数据": "missing"}, filters.why)
    if filters.stuck and filters.stuck <= len(ids):
        wanted = ids[filters.stuck - 1]
        out["stuck"] = np.fromiter((wanted in set(u) for u in hits["unknown"]), bool, len(hits))
    if filters.since:
        out["since"] = hits["change"].isin([SINCE[s] for s in filters.since]).to_numpy()
    if filters.industry:
        out["industry"] = hits["industry"].str[:1].isin([i[:1] for i in filters.industry]).to_numpy()
    if filters.officer == "me":
        out["officer"] = hits[CODE].isin(mine).to_numpy()
    if filters.q:
        named = hits[NAME].fillna("").str.contains(filters.q, regex=False)
        out["q"] = (named | hits[CODE].str.contains(filters.q.upper(), regex=False)).to_numpy()
    return out


def _any(hits: pd.DataFrame, columns: Mapping[str, str], wanted: tuple[str, ...]) -> np.ndarray:
    return np.logical_or.reduce([hits[columns[w]].to_numpy(dtype=bool) for w in wanted])


SORTED_BY = {
    "expected": "expected", "amount": "paid_low", "score": "score", "name": "name_rank", "open": "open_count",
    "code": "code_rank",
}  # fmt: skip
LEARNED = "昨夜有变化的在前，再按期望金额；一样的，先看还差的条件少的"
PLAIN = f"昨夜有变化的在前；{looking.WORDS}"


def learned(hits: pd.DataFrame) -> bool:
    """有没有估计: whether any pair of a list has one; without, what is expected of 待核实 would be a guess of half for all."""
    return bool(len(hits)) and bool(hits["score"].notna().any())


def order_words(hits: pd.DataFrame, sort: str) -> str:
    """排序的说明, for the page and for what is taken out."""
    if sort == DEFAULT_SORT:
        return LEARNED if learned(hits) else PLAIN
    return f"按{SORTS[sort.split(',')[0].lstrip('-')]}{'从大到小' if sort[0] == '-' else '从小到大'}"


def _sorted(hits: pd.DataFrame, rows: np.ndarray, sort: str) -> np.ndarray:
    """排序: the rows by the keys, then as one would look at them (analysis.looking); unknown values come last whichever way
    it goes."""
    keys = [hits["first"].to_numpy()[rows]]
    for part in reversed(sort.split(",")):
        name = part.lstrip("-")
        if name == "expected" and not learned(hits):
            continue
        if name == "change":
            values = (hits["change"] != "").to_numpy(float)[rows]
        else:
            values = hits[SORTED_BY[name]].to_numpy(float)[rows]
        keys.append(np.where(np.isnan(values), np.inf, -values if part.startswith("-") else values))
    return rows[np.lexsort(keys)]


def _facets(
    hits: pd.DataFrame, masks: Mapping[str, np.ndarray], in_state: np.ndarray, mine: set[str]
) -> dict[str, list[tuple[str, str, int]]]:
    """各筛选项的条数: each counted with all other filters in force."""

    def others(name: str) -> np.ndarray:
        rest = [m for key, m in masks.items() if key != name]
        return np.logical_and.reduce([in_state, *rest])

    why, since, industry = others("why"), others("since"), others("industry")
    sections = hits["industry"][industry].str[:1].value_counts()
    return {
        "verdict": [(v, v, int((others("verdict") & (hits["verdict"] == v).to_numpy()).sum())) for v in ("符合", "待核实")],
        "why": [
            ("只差人工判断", "只差人工判断", int((why & hits["only_ask"].to_numpy(dtype=bool)).sum())),
            ("缺数据", "缺数据", int((why & hits["missing"].to_numpy(dtype=bool)).sum())),
        ],
        "since": [(k, k, int((since & (hits["change"] == v).to_numpy()).sum())) for k, v in SINCE.items()],
        "industry": [(str(s), SECTIONS.get(str(s), "未知"), int(n)) for s, n in sections.items() if s][:6],
        "officer": [("me", "我的企业", int((others("officer") & hits[CODE].isin(mine).to_numpy()).sum()))],
    }  # fmt: skip


# GB/T 4754 sections, in the words of a facet.
SECTIONS = {
    "A": "农林牧渔", "B": "采矿", "C": "制造", "D": "电热燃水", "E": "建筑", "F": "批发零售", "G": "交通仓储", "H": "住宿餐饮",
    "I": "信息软件", "J": "金融", "K": "房地产", "L": "租赁商务", "M": "科研技术", "N": "水利环境", "O": "居民服务", "P": "教育",
    "Q": "卫生", "R": "文体娱乐", "S": "公共管理", "T": "国际组织",
}  # fmt: skip
