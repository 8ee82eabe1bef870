"""样例写出: departments' files with their headers, units, encodings and dirt; a manifest; clean profiles and truth."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from profiles.sample import dirt
from profiles.sample.departments import SHEETS, Field, Sheet
from profiles.sample.facts import CODE, Sample
from profiles.sample.observed import NAME, Observed, marked, observe

MANIFEST = "manifest.json"
README = "说明.md"


def write_sample(
    sample: Sample, folder: Path, dirt_share: float = 0.0, only: Collection[str] = ()
) -> dict[str, Any]:
    """写出部门文件: one file a Sheet under `folder` (of the sources `only` names), 说明.md and manifest.json."""
    folder.mkdir(parents=True, exist_ok=True)
    seen = observe(sample)
    files, faults = [], []
    for sheet in (one for one in SHEETS if not only or one.source in only):
        rows = _rows_of(sheet, seen)
        name = file_name(sheet, sample)
        if sheet.file.endswith(".parquet"):
            rows.to_parquet(folder / name, index=False)
        else:
            texts = _texts(rows, sheet)
            rng = np.random.default_rng([sample.seed, zlib.crc32(sheet.file.encode()), 1])
            first_line = 1 if sheet.file.endswith(".jsonl") else 2
            rows, found = dirt.spoil(rng, texts, name, sheet.code_header, dirt_share, first_line)
            faults += found
            _save(rows, folder / name, sheet)
        files.append(
            {"file": name, "source": sheet.source, "department": sheet.department, "rows": len(rows)}
        )
    manifest: dict[str, Any] = {
        "firms": len(sample.truth),
        "seed": sample.seed,
        "data_day": sample.data_day.isoformat(),
        "dirt": dirt_share,
        "files": files,
        "faults": dirt.as_rows(faults),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / README).write_text(_readme(manifest), encoding="utf-8")
    return manifest


def file_name(sheet: Sheet, sample: Sample) -> str:
    """文件名: with the day of the data, as departments name what they hand over."""
    stem, _, ending = sheet.file.rpartition(".")
    return f"{stem}_{sample.data_day:%Y%m%d}.{ending}"


def _rows_of(sheet: Sheet, seen: Observed) -> pd.DataFrame:
    if sheet.subject:
        return _detail_rows(sheet, seen)
    if sheet.shape == "long":
        return _long_rows(sheet, seen)
    there = seen.known[sheet.source].copy()
    if sheet.only:
        there &= np.logical_or.reduce([marked(seen.frame[name]) for name in sheet.only.split()])
    frame = seen.frame.loc[there, [CODE, NAME, *(f.indicator for f in sheet.fields)]]
    return frame.set_axis([sheet.code_header, sheet.name_header, *(f.header for f in sheet.fields)], axis=1)


def _long_rows(sheet: Sheet, seen: Observed) -> pd.DataFrame:
    """One row a firm and year that has any value; a register of marks only where the mark is."""
    parts = []
    for year in sheet.years:
        names = [f"{f.indicator}@{year}" for f in sheet.fields]
        there = seen.known[sheet.source] & seen.frame[names].notna().any(axis=1).to_numpy()
        if sheet.only and f"{sheet.only}@{year}" in seen.frame.columns:
            there &= marked(seen.frame[f"{sheet.only}@{year}"])
        part = seen.frame.loc[there, [CODE, NAME, *names]]
        part.insert(2, sheet.year_header, year)
        parts.append(
            part.set_axis(
                [sheet.code_header, sheet.name_header, sheet.year_header, *(f.header for f in sheet.fields)],
                axis=1,
            )
        )
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


def _detail_rows(sheet: Sheet, seen: Observed) -> pd.DataFrame:
    rows = seen.lists[sheet.subject]
    names = seen.frame.set_index(CODE)[NAME]
    frame = rows[[CODE, *(f.indicator for f in sheet.fields)]].copy()
    frame.insert(1, NAME, names.reindex(frame[CODE]).to_numpy())
    return frame.set_axis([sheet.code_header, sheet.name_header, *(f.header for f in sheet.fields)], axis=1)


def _texts(rows: pd.DataFrame, sheet: Sheet) -> pd.DataFrame:
    """Every cell as the text a department writes."""
    fields = {f.header: f for f in sheet.fields}
    return pd.DataFrame(
        {name: _text_column(rows[name], fields.get(name)) for name in rows.columns}, dtype=object
    )


def _text_column(column: pd.Series, field: Field | None) -> np.ndarray:
    missing = column.isna().to_numpy()
    texts = np.full(len(column), "", dtype=object)
    there = column[~missing]
    if pd.api.types.is_datetime64_any_dtype(column):
        texts[~missing] = there.dt.strftime("%Y-%m-%d").to_numpy()
    elif column.dtype == "boolean":
        texts[~missing] = np.where(there.to_numpy(dtype=bool), "是", "否")
    elif pd.api.types.is_float_dtype(column):
        texts[~missing] = _numbers(there.to_numpy(dtype=float), field)
    else:
        texts[~missing] = ["；".join(v) if isinstance(v, list) else str(v) for v in there.tolist()]
    return texts


def _numbers(values: np.ndarray, field: Field | None) -> list[str]:
    unit = field.unit if field else ""
    if unit == "万元":
        return [f"{v:.2f}" for v in (values / 1e4).tolist()]
    if unit == "%":
        return [f"{v:.2f}" for v in (values * 100).tolist()]
    if unit == "元":
        return [f"{v:.2f}" for v in values.tolist()]
    return [str(int(v)) if v == int(v) else repr(v) for v in values.tolist()]


def _save(rows: pd.DataFrame, path: Path, sheet: Sheet) -> None:
    if path.suffix == ".xlsx":
        _save_excel(rows, path)
    elif path.suffix == ".jsonl":
        lines = (
            json.dumps({k: v for k, v in row.items() if v != ""}, ensure_ascii=False)
            for row in rows.to_dict("records")
        )
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    else:
        rows.to_csv(path, index=False, encoding=sheet.encoding, lineterminator="\r\n")


def _save_excel(rows: pd.DataFrame, path: Path) -> None:
    """Texts only: a code or a name must never become a number or a formula."""
    import xlsxwriter

    options = {
        "constant_memory": True,
        "strings_to_numbers": False,
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": pd.Timestamp(2026, 6, 15).to_pydatetime()})
        page = book.add_worksheet("数据")
        page.write_row(0, 0, list(rows.columns))
        for line, row in enumerate(rows.itertuples(index=False, name=None), start=1):
            for place, text in enumerate(row):
                if text != "":
                    page.write_string(line, place, str(text))


def _readme(manifest: dict) -> str:
    counts: dict[str, int] = {}
    for fault in manifest["faults"]:
        counts[fault["kind"]] = counts.get(fault["kind"], 0) + 1
    lines = [
        "# 样例数据",
        "",
        f"虚构企业 {manifest['firms']} 家（种子 {manifest['seed']}），数据日期 {manifest['data_day']}。企业、项目、岗位都是生成的，如有雷同纯属巧合。",
        "",
        "| 文件 | 来源 | 部门 | 行数 |",
        "| --- | --- | --- | ---: |",
        *(f"| {f['file']} | {f['source']} | {f['department']} | {f['rows']} |" for f in manifest["files"]),
        "",
        f"脏数据比例 {manifest['dirt']:g}："
        + ("、".join(f"{k} {v} 处" for k, v in sorted(counts.items())) or "无")
        + "。逐处清单见 manifest.json。",
        "",
    ]
    return "\n".join(lines)


def write_profiles(sample: Sample, path: Path, seen: Observed | None = None) -> None:
    """写出企业档案: the match input of clean values, `.jsonl`, `.parquet` or `.csv`, gaps as the departments leave them."""
    seen = seen or observe(sample)
    if path.suffix == ".parquet":
        pq.write_table(_with_lists(seen), path)
    elif path.suffix == ".csv":
        frame = typed(seen.frame).copy()
        frame["曾用名"] = [";".join(v) if isinstance(v, list) else None for v in frame["曾用名"]]
        for name in frame.columns[frame.dtypes == "boolean"]:
            frame[name] = frame[name].map({True: "是", False: "否"})
        frame.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        _save_jsonl(seen, path)
    else:
        raise ValueError(f"企业档案的文件名应当以 .jsonl、.parquet 或 .csv 结尾，这里是 {path.name}")


def _with_lists(seen: Observed) -> pa.Table:
    """The frame and, a column each, the firms' lists: per firm a list of rows, empty where it has none."""
    table = pa.Table.from_pandas(typed(seen.frame), preserve_index=False)
    rank = pd.Series(np.arange(len(seen.frame)), index=seen.frame[CODE])
    for subject, rows in seen.lists.items():
        owner = rank.reindex(rows[CODE]).to_numpy()
        order = np.argsort(owner, kind="stable")
        details = pa.Table.from_pandas(typed(rows.drop(columns=CODE).iloc[order]), preserve_index=False)
        offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(rank)))])
        structs = pa.StructArray.from_arrays(
            [c.combine_chunks() for c in details.columns], names=details.column_names
        )
        table = table.append_column(subject, pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs))
    return table


def write_truth(sample: Sample, path: Path) -> None:
    """写出真值: the complete facts before gaps, as Parquet; one file a list beside it."""
    typed(sample.truth).to_parquet(path, index=False)
    for subject, rows in sample.lists.items():
        typed(rows).to_parquet(path.with_name(f"{path.stem}.{subject}.parquet"), index=False)


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """列类型: dates as date, flags as boolean, numbers as double."""
    found = {}
    for name in frame.columns:
        column = frame[name]
        found[name] = column.dt.date if pd.api.types.is_datetime64_any_dtype(column) else column
    return pd.DataFrame(found)


def _save_jsonl(seen: Observed, path: Path) -> None:
    records: list[dict[str, object]] = [{} for _ in range(len(seen.frame))]
    for name in seen.frame.columns:
        _fill(records, seen.frame[name], *name.split("@"))
    rank = {code: row for row, code in enumerate(seen.frame[CODE].tolist())}
    for subject, rows in seen.lists.items():
        details: list[dict[str, object]] = [{} for _ in range(len(rows))]
        for name in rows.columns:
            if name != CODE:
                _fill(details, rows[name], *name.split("@"))
        for record in records:
            record[subject] = []
        for code, detail in zip(rows[CODE].tolist(), details, strict=True):
            records[rank[code]][subject].append(detail)  # type: ignore[attr-defined]
    with path.open("w", encoding="utf-8") as handle:
        for record in records:
            handle.write(json.dumps(record, ensure_ascii=False) + "\n")


def _fill(records: list[dict[str, object]], column: pd.Series, name: str, year: str = "") -> None:
    values = column.dt.strftime("%Y-%m-%d") if pd.api.types.is_datetime64_any_dtype(column) else column
    there = np.flatnonzero(column.notna().to_numpy())
    for row, value in zip(there.tolist(), values.iloc[there].tolist(), strict=True):
        if year:
            records[row].setdefault(name, {})[year] = value  # type: ignore[index]
        else:
            records[row][name] = value
