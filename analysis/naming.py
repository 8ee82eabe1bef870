"""指名: the firm and the item that a person means by a code, a name or a title; one answer or the candidates, never a guess."""

from __future__ import annotations

from collections.abc import Sequence

from engine.columns import Columns
from policies.library import Library
from profiles.codes import looks_like_code, tidy_code, why_not
from profiles.names import normal_name, normal_names
from store.nights import firm_names

MOST_SHOWN = 8


def firm_of(columns: Columns, text: str) -> str:
    """企业的代码: of a code, or of a name (or a part of one) that one firm alone bears.

    Raises ValueError with what is wrong with a code, or with the firms that the name may mean.

    >>> firm_of(view.columns, view.columns.codes[0]) == view.columns.codes[0]
    True
    """
    code = tidy_code(text)
    if code in columns.codes:
        return code
    if looks_like_code(code) or (code.isascii() and len(code) >= 8):
        wrong = why_not(code)
        raise ValueError(f"没有企业 {text}（{wrong}）" if wrong else f"这一夜没有代码是 {text} 的企业")
    names = [name or "" for name in firm_names(columns).to_pylist()]
    normal, wanted = normal_names(names), normal_name(text)
    same = [i for i, name in enumerate(normal) if name == wanted]
    found = same or [i for i, name in enumerate(normal) if wanted and wanted in name]
    if len(found) == 1:
        return str(columns.codes[found[0]])
    if found:
        raise ValueError(f"叫“{text}”的企业有 {len(found)} 家，请写代码：{_listed(columns, names, found)}")
    near = [i for i, _ in near_names(names, [text], MOST_SHOWN)[0]]
    cure = f"相近的：{_listed(columns, names, near)}" if near else "请写统一社会信用代码"
    raise ValueError(f"没有名称含“{text}”的企业。{cure}")


def near_names(names: Sequence[str], written: Sequence[str], most: int = 3) -> list[list[tuple[int, float]]]:
    """相近的名称: for each written name the known ones most like it, (index, likeness 0 to 1), best first; they only propose."""
    from profiles.identify import NameIndex  # half a second of scipy, only where a name is misspelt

    return NameIndex(names, threads=1).candidates(written, most)


def _listed(columns: Columns, names: Sequence[str], rows: Sequence[int]) -> str:
    words = "、".join(f"{names[i]}（{columns.codes[i]}）" for i in rows[:MOST_SHOWN])
    return words + (f" 等 {len(rows)} 家" if len(rows) > MOST_SHOWN else "")


def item_of(library: Library, text: str) -> str:
    """事项编号: of an id, or of a title (or a part of one) that one item alone bears. Raises ValueError with the near ones.

    >>> item_of(view.library, "研发投入强度奖励")
    'bs-2025-06/rd-intensity'
    """
    if library.program(text) is not None:
        return text
    titled = [p.item for p in library.programs if text and text in p.item.title]
    exact = [item for item in titled if item.title == text]
    found = exact or titled
    if len(found) == 1:
        return found[0].id
    if found:
        listed = "、".join(f"{i.title}（{i.id}）" for i in found[:MOST_SHOWN])
        raise ValueError(f"标题含“{text}”的事项有 {len(found)} 个，请写编号：{listed}")
    return library.wanted(text).item.id
