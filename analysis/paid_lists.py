"""兑现名单: the rows of a list of what was paid, linked to firms; a row that can't be is kept with the reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from analysis.naming import near_names
from analysis.night import CODE, NAME, View
from analysis.paid_tables import read_paid_list
from profiles.codes import is_code, tidy_code, why_not
from profiles.names import normal_name, normal_names
from store.nights import firm_names

FORMER = "曾用名"

LEFT = ["行", CODE, NAME, "原因"]
UNREAD = [*LEFT, "候选"]
ALIKE = 0.6  # likeness from which a name is worth a look; it only proposes


def link(view: View, table: pd.DataFrame) -> tuple[dict[str, tuple[float, str]], pd.DataFrame, pd.DataFrame]:
    """认企业: rows by a valid code that has a file, else by a name whose written form is one firm's alone, else by a former
    name that is (to be looked at).

    Returns code → (paid, how), the rows left with the reason, and rows that count but want a look. A wrong code is
    never repaired or passed over.

    >>> linked, left, _ = link(view, pd.DataFrame({"统一社会信用代码": [view.columns.codes[0], "123"], "金额": [5.0, 6.0]}))
    >>> linked[view.columns.codes[0]], len(left)
    ((5.0, '代码'), 1)
    """
    names = dict(zip(view.columns.codes, firm_names(view.columns).to_pylist(), strict=True))
    by_name: dict[str, list[str]] = defaultdict(list)
    for code, name in names.items():
        if name:
            by_name[normal_name(name)].append(code)
    former = _former(view)
    linked: dict[str, tuple[float, str]] = {}
    left: list[dict[str, Any]] = []
    doubts: list[dict[str, Any]] = []
    for n, row in enumerate(table.to_dict("records"), 1):
        said = {"行": row.get("行", n), CODE: row.get(CODE, ""), NAME: row.get(NAME, "")}
        unread = row.get("读不出")
        code, how, why = (
            ("", "", unread) if isinstance(unread, str) and unread else _identify(row, names, by_name, former)
        )
        if why:
            left.append({**said, "原因": why})
            continue
        written, known = str(said[NAME] or ""), names[code] or ""
        if how == "代码" and written and known and normal_name(written) != normal_name(known):
            doubts.append({**said, "原因": f"代码是“{known}”的，名称写的是另一家或旧名，请核对"})
        if how == FORMER:
            doubts.append({**said, "原因": f"按登记的曾用名认作“{known}”，请核对"})
        if code in linked:
            doubts.append({**said, "原因": "同一家不止一行，金额已相加"})
        had = linked[code][0] if code in linked else 0.0
        linked[code] = (had + float(row.get("金额", float("nan"))), how)
    proposed = _candidates(names, [str(row[NAME] or "") for row in left])
    unlinked = pd.DataFrame(left, columns=LEFT).assign(候选=proposed)[UNREAD]
    return linked, unlinked, pd.DataFrame(doubts, columns=LEFT)


def _candidates(names: dict[str, str | None], written: list[str]) -> list[str]:
    """候选: for each row left over the firms whose names look most like its own, with code and likeness; a person decides."""
    if not any(written):
        return [""] * len(written)
    known = [(code, name) for code, name in names.items() if name]
    found = near_names([name for _, name in known], written)
    return [
        "；".join(f"{known[i][1]}（{known[i][0]}，像 {score:.2f}）" for i, score in own if score >= ALIKE)
        if text
        else ""
        for text, own in zip(written, found, strict=True)
    ]


def _identify(
    row: dict[Any, Any],
    known: Collection[str],
    by_name: Mapping[str, list[str]],
    former: Mapping[str, list[str]],
) -> tuple[str, str, str]:
    code = tidy_code(str(row.get(CODE, "") or ""))
    if code:
        if not is_code(code):
            return "", "", why_not(code)
        return (code, "代码", "") if code in known else ("", "", "代码有效，但没有这家企业的档案")
    written = normal_name(str(row.get(NAME, "") or ""))
    same = by_name.get(written, [])
    if len(same) == 1:
        return same[0], "名称", ""
    if not same and len(once := former.get(written, [])) == 1:
        return once[0], FORMER, ""
    return "", "", f"同名企业 {len(same)} 家，请补代码" if same else "没有叫这个名称的企业，请补代码"


def _former(view: View) -> dict[str, list[str]]:
    """曾用名 → codes of the firms that once bore it, as the register says."""
    lists = view.columns.listing(FORMER, None)
    known = normal_names(lists.names)
    out: dict[str, list[str]] = defaultdict(list)
    for row, code in enumerate(view.columns.codes):
        for at in lists.codes[lists.offsets[row] : lists.offsets[row + 1]].tolist():
            out[known[at]].append(code)
    return out


__all__ = ["link", "read_paid_list"]
