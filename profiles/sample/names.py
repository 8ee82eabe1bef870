"""企业名称: invented names, in the order region · brand · trade · form that real registers use."""

from __future__ import annotations

import numpy as np

# Brands are put together from syllables, so that no list of existing firms is needed.
FIRST = list("微澜衡屿沐岚澄砺朔翎棠霁汀溯珩岑榆珂曜麓泓栎昱彧楠璟沅凇甬聿芃禾皓苒隽邈郢霖钧骁")
SECOND = list("澜原启川行远岳辰桥舟石屿峰图域和泽木光陆杉汇航轮塔庭帆川野砚石衡极数锐拓衍枢朗")
THIRD = list("达信诺通瑞科维特恒源思创凯格合")
REGIONS = ("滨海示范", "天津滨海", "天津", "天津港", "")
REGION_WEIGHTS = (0.16, 0.22, 0.40, 0.02, 0.20)
FORMS = ("有限公司", "有限责任公司", "股份有限公司", "集团有限公司", "合伙企业（有限合伙）")


def _brands(rng: np.random.Generator, count: int) -> np.ndarray:
    two = np.char.add(
        np.array(FIRST)[rng.integers(len(FIRST), size=count)],
        np.array(SECOND)[rng.integers(len(SECOND), size=count)],
    )
    tail = np.array(["", *THIRD])[
        np.where(rng.random(count) < 0.45, 0, rng.integers(1, len(THIRD) + 1, size=count))
    ]
    return np.char.add(two, tail)


def forms_of(rng: np.random.Generator, kinds: np.ndarray, size: np.ndarray) -> np.ndarray:
    """企业类型词尾: legal form by size (log of staff); funds are partnerships."""
    pick = rng.random(len(size))
    form = np.where(pick < 0.12, 1, 0)
    form = np.where((size > np.log(150)) & (pick > 0.70), 2, form)
    form = np.where((size > np.log(600)) & (pick < 0.30), 3, form)
    form = np.where((kinds == "金融") & (pick < 0.55), 4, form)
    return form


def firm_names(rng: np.random.Generator, trade_words: np.ndarray, forms: np.ndarray) -> np.ndarray:
    """企业名称: all different; a clash gets another brand, as a register would demand."""
    count = len(trade_words)
    regions = np.array(REGIONS)[rng.choice(len(REGIONS), size=count, p=REGION_WEIGHTS)]
    tails = np.char.add(trade_words.astype(str), np.array(FORMS)[forms])
    inside = rng.random(count) < 0.15  # 品牌（地区）行业 instead of 地区品牌行业
    names = _assemble(rng, regions, tails, inside)
    for _ in range(50):
        _, first = np.unique(names, return_index=True)
        again = np.ones(count, dtype=bool)
        again[first] = False
        if not again.any():
            return names
        names[again] = _assemble(rng, regions[again], tails[again], inside[again])
    return _numbered(names)


def _assemble(
    rng: np.random.Generator, regions: np.ndarray, tails: np.ndarray, inside: np.ndarray
) -> np.ndarray:
    brands = _brands(rng, len(tails))
    front = np.char.add(np.char.add(regions, brands), tails)
    bracket = np.char.add(np.char.add(np.char.add(np.char.add(brands, "（"), regions), "）"), tails)
    names = np.where(inside & (regions != ""), bracket, front)
    return names.astype("U40")


def _numbered(names: np.ndarray) -> np.ndarray:
    """The last clashes of a very large sample: a third syllable pair before the trade word."""
    seen: dict[str, int] = {}
    for row, name in enumerate(names.tolist()):
        times = seen.get(name, 0)
        seen[name] = times + 1
        if times:
            names[row] = (
                name[:2] + FIRST[times % len(FIRST)] + SECOND[times // len(FIRST) % len(SECOND)] + name[2:]
            )
    return names
