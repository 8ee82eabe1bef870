"""名单: match lists of a night as Excel, one workbook an item, safe to open and ready to print."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter
from numpy.typing import NDArray

from analysis import looking
from analysis.scores_money import Floats, usual_amount, worth
from engine.program import Program
from jobs.list_keys import keep_keys, kept_keys, list_keys
from jobs.sheets import SheetForm
from store import faults
from store.night_reads import among
from store.nights import NAME, Night

CODE = "统一社会信用代码"
MOST_OPEN = 500
TOGETHER = 1 << 20  # pairs of a night, and the night before's, read at once
WIDTHS = {"统一社会信用代码": 21, "企业名称": 36, "结论": 9, "金额下限（元）": 15, "金额上限（元）": 15, "让位于": 22,
          "说明": 14, "待核实的条件": 40, "能符合的估计": 9, "变化": 7}  # fmt: skip


LEARNED = "次序：符合的在前；待核实的按期望金额，一样的先看还差的条件少的"
PLAIN = f"次序：{looking.WORDS}"


def list_frame(night: Night, program: Program, scopes: Scopes | None = None) -> tuple[pd.DataFrame, int, str]:
    """名单内容: all 符合 pairs, then the 待核实 ones that are worth most to ask; how many of these are left out, and in what order
    they stand, in words. `scopes` are the night's, which lists without learned estimates ask.
    """
    frame = night.hits(program.item.id)
    if not len(frame):
        return pd.DataFrame(columns=list(WIDTHS)), 0, PLAIN
    learned = bool(frame["score"].notna().any())
    names = {c.id: c.condition.label or c.condition.quote or c.id for c in program.conditions}
    low, high = (frame[name].to_numpy(dtype=float) for name in ("paid_low", "paid_high"))
    money = worth(low, high, usual_amount(low, high))
    is_open = (frame["verdict"] != "符合").to_numpy(dtype=bool)
    near = np.zeros(len(frame)) if learned else (scopes or scopes_of(night))(program.item.id, frame[CODE])
    places = _in_order(frame, is_open, frame["score"].to_numpy(dtype=float) * money, money, near)
    fits = int((~is_open).sum())
    left_out = max(0, len(frame) - fits - MOST_OPEN)
    order = frame.iloc[places[: fits + MOST_OPEN]]
    shown = pd.DataFrame(
        {
            CODE: order[CODE],
            NAME: order[NAME],
            "结论": order["verdict"],
            "金额下限（元）": order["paid_low"],
            "金额上限（元）": order["paid_high"],
            "让位于": order["gave_way"],
            "说明": order["note"],
            "待核实的条件": _said(order["unknown"], names),
            "能符合的估计": _percent(order["score"]),
            "变化": order["change"],
        }
    )
    return shown, left_out, LEARNED if learned else PLAIN


Scopes = Callable[[str, pd.Series], Floats]


def scopes_of(night: Night) -> Scopes:
    """经营范围 of a night's firms, asked by item and codes how near they are; read when first asked."""

    @cache
    def made() -> tuple[looking.Scopes, pd.Index]:
        columns = night.columns()
        return looking.Scopes(columns, night.library().programs), pd.Index(columns.codes)

    def near(item: str, codes: pd.Series) -> Floats:
        scopes, known = made()
        return (
            np.zeros(len(codes)) if scopes.silent else scopes.near(item, known.get_indexer(pd.Index(codes)))
        )

    return near


def _said(unknown: pd.Series, names: Mapping[str, str]) -> list[str]:
    """The conditions in words; those that are unknown together are put together once."""
    words: dict[tuple[str, ...], str] = {}
    out = []
    for ids in map(tuple, unknown.tolist()):
        if ids not in words:
            words[ids] = "；".join(names.get(i, i) for i in ids)
        out.append(words[ids])
    return out


def _percent(scores: pd.Series) -> list[str]:
    return ["" if p != p else f"{p:.0%}" for p in scores.to_numpy(dtype=float).tolist()]


def _in_order(
    frame: pd.DataFrame, is_open: NDArray[np.bool_], expected: Floats, money: Floats, near: Floats
) -> NDArray[np.intp]:
    """Places of the rows: 符合 first, then what is expected most, and then as one looks at them without estimates."""
    codes = frame[CODE]
    among = (
        np.arange(len(frame))
        if codes.is_monotonic_increasing
        else np.argsort(np.argsort(codes.to_numpy(str)))
    )
    unknown = np.fromiter(map(len, frame["unknown"].tolist()), np.int64, len(frame))
    first = looking.ranks(is_open, unknown, money, near, among)
    return np.lexsort((first, np.where(np.isnan(expected), 0.0, -expected), is_open))


@contextmanager
def open_workbook(path: Path | io.BytesIO) -> Iterator[xlsxwriter.Workbook]:
    """新工作簿: text that looks like a formula, a link or a number stays text; the file is written whole at the end."""
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "constant_memory": True,
    }
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, options) as book:
        yield book
    if isinstance(path, Path):
        path.write_bytes(packed.getvalue())
    else:
        path.write(packed.getvalue())


def write_sheet(
    book: xlsxwriter.Workbook,
    name: str,
    title: str,
    notes: Sequence[str],
    frame: pd.DataFrame,
    widths: dict[str, int],
) -> None:
    """一张表: a title, where it comes from, a frozen head, codes as text, A4 landscape with the head repeated."""
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True, "font_size": 14})
    small = book.add_format({"font_color": "#666d76", "font_size": 9})
    head = book.add_format({"bold": True, "bottom": 1, "top": 2, "text_wrap": True, "valign": "vcenter"})
    text, money = (
        book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"}),
        book.add_format({"num_format": "#,##0.00", "valign": "top"}),
    )
    sheet.write_string(0, 0, title, bold)
    for i, note in enumerate(notes, 1):
        sheet.write_string(i, 0, note, small)
    top = len(notes) + 1
    for j, column in enumerate(frame.columns):
        sheet.set_column(j, j, widths.get(column, 14))
        sheet.write_string(top, j, column, head)
    for i, row in enumerate(frame.itertuples(index=False), top + 1):
        for j, value in enumerate(row):
            _write_cell(sheet, i, j, value, text, money)
    sheet.freeze_panes(top + 1, min(2, len(frame.columns)))
    sheet.repeat_rows(top)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L惠企直达&R第 &P 页，共 &N 页")
    if len(frame):
        sheet.autofilter(top, 0, top + len(frame), len(frame.columns) - 1)


def _write_cell(sheet: Any, i: int, j: int, value: Any, text: Any, money: Any) -> None:
    if isinstance(value, float):
        if pd.notna(value):
            sheet.write_number(i, j, value, money)
        else:
            sheet.write_string(i, j, "待定", text)
    elif isinstance(value, bool | np.bool_):
        sheet.write_string(i, j, "是" if value else "", text)
    elif isinstance(value, int):
        sheet.write_number(i, j, value)
    else:
        sheet.write_string(i, j, "" if value is None or value is pd.NA else str(value), text)


def to_write(night: Night, keys: Mapping[str, str]) -> int:
    """要写的对子: how many pairs stand on lists that are not the night before's."""
    known = lists_before(night)[1]
    items = night.items()
    anew = [keys.get(str(i)) is None or known.get(str(i)) != keys[str(i)] for i in items["item"]]
    return int((items["fits"] + items["open"])[anew].sum())


def keep_lists(night: Night, keys: Mapping[str, str] | None = None) -> list[Path]:
    """留下名单: the lists of a night, written once as a whole: a folder that is there is complete. `keys` are the night's
    `list_keys`, where they are known already."""
    final = night.folder / "lists"
    if not final.is_dir():
        part = night.folder / f".lists-{os.getpid()}"
        shutil.rmtree(part, ignore_errors=True)
        write_lists(night, part, keys)
        faults.point("nights.lists_written")
        try:
            part.rename(final)
        except OSError:  # another process was faster
            if not final.is_dir():
                raise
            shutil.rmtree(part)
    return sorted(final.glob("*.xlsx"))


def write_lists(night: Night, folder: Path, keys: Mapping[str, str] | None = None) -> list[Path]:
    """写名单: one workbook an item that has pairs, and one overview; returns their paths. A list that would print what the
    night before's did is that one's, with this night's line under its title."""
    folder.mkdir(parents=True, exist_ok=True)
    items = night.items()
    where = f"第 {night.no} 次比对，比对日 {night.as_of}，规则 {night.run.library_hash[:12]}，企业档案 {night.run.profiles_hash[:12]}"
    programs = {p.item.id: p for p in night.library().programs}
    scopes, keys = scopes_of(night), list_keys(night) if keys is None else keys
    before, known = lists_before(night)
    listed = [row for row in items.itertuples() if row.fits or row.open]
    written = [folder / file_of(str(row.item)) for row in listed]
    anew = []
    for row, path in zip(listed, written, strict=True):
        key = keys.get(str(row.item))
        same = key is not None and known.get(str(row.item)) == key
        if not same or not _form(3).retold(before / path.name, path, where, night.run.started):
            anew.append((row, path))
    for some in _lots(anew):
        with among([str(row.item) for row, _ in some]):
            for row, path in some:
                _write_list(night, programs[str(row.item)], scopes, path, row, where)
    keep_keys(folder, keys)
    written.append(_overview(items, where, folder))
    return written


def _lots(rows: Sequence[tuple[Any, Path]]) -> Iterator[list[tuple[Any, Path]]]:
    """Lists whose pairs together are in memory at once."""
    some: list[tuple[Any, Path]] = []
    size = 0
    for row, path in rows:
        if some and size + row.fits + row.open > TOGETHER:
            yield some
            some, size = [], 0
        some.append((row, path))
        size += row.fits + row.open
    if some:
        yield some


def file_of(item: str) -> str:
    """名单的文件名."""
    return item.replace("/", "__") + ".xlsx"


def lists_before(night: Night) -> tuple[Path, dict[str, str]]:
    """上一夜的名单: where they are, and their keys."""
    folder = night.home / "nights" / str(night.run.previous) / "lists"
    return folder, kept_keys(folder) if night.run.previous is not None else {}


def _write_list(night: Night, program: Program, scopes: Scopes, path: Path, row: Any, where: str) -> None:
    frame, left_out, order = list_frame(night, program, scopes)
    notes = [
        where,
        f"符合 {row.fits} 家，待核实 {row.open} 家；金额为就高不重复、预算核减之后的应付数",
        order,
    ]
    if left_out:
        notes.append(f"待核实的企业只列最值得先问的 {MOST_OPEN} 家，另有 {left_out} 家见工作台")
    _form(len(notes)).write(path, f"{row.title}（{row.batch}）", notes, frame, night.run.started)


@lru_cache(maxsize=4)
def _form(notes: int) -> SheetForm:
    """A list's look, as write_sheet gives it."""

    def write(path: Path, title: str, lines: list[str], frame: pd.DataFrame) -> None:
        with open_workbook(path) as book:
            write_sheet(book, "名单", title, lines, frame, WIDTHS)

    return SheetForm(write, {name: name.startswith("金额") for name in WIDTHS}, notes)


def _overview(items: pd.DataFrame, where: str, folder: Path) -> Path:
    names = {"item": "事项编号", "title": "事项", "batch": "批次", "category": "类别", "delivery": "兑现方式",
             "department": "部门", "fits": "符合", "open": "待核实", "low": "金额下限（元）", "high": "金额上限（元）",
             "new_fits": "新符合", "gone": "不再符合"}  # fmt: skip
    frame = items[list(names)].rename(columns=names)
    path = folder / "总览.xlsx"
    with open_workbook(path) as book:
        widths = {"事项编号": 28, "事项": 36, "部门": 16, "金额下限（元）": 18, "金额上限（元）": 18}
        write_sheet(book, "总览", "比对总览", [where], frame, widths)
    return path
