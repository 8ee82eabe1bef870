"""样例来源声明: write profiles/sources/*.yaml for the generated departments' files from their layout.

python scripts/make_sample_sources.py
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from profiles.dictionary import builtin_dictionary  # noqa: E402
from profiles.sample.departments import SHEETS, Field, Sheet  # noqa: E402

FOLDER = ROOT / "profiles" / "sources"
REFRESH = {"long": "400天", "wide": "100天", "list": "100天", "rows": "100天"}
# A sheet may carry an indicator another register owns; absence is only spoken of by the register named here.
REGISTERS = {
    "industry_economy": "经发",
    "projects": "经发",
    "premises": "住建",
    "talents": "人社",
    "self_reported": "企业填报",
}


def declaration(sheet: Sheet) -> str:
    """来源声明: the YAML text of one sheet."""
    dictionary = builtin_dictionary()
    entries = [dictionary[f.indicator.partition("@")[0]] for f in sheet.fields]
    register = REGISTERS.get(sheet.source) or entries[0].source
    stem, _, ending = sheet.file.rpartition(".")
    lines = [
        f"# {sheet.department}：{stem.replace('_', '·')}（样例数据的列；scripts/make_sample_sources.py 按 profiles/sample/departments.py 写出）",
        f"source: {sheet.source}",
        f"title: {stem.replace('_', '·')}",
        f"department: {sheet.department}",
        f"registry: {register}",
        f"authority: {max(e.authority for e in entries)}",
        f"coverage: {'全量' if _complete(sheet) else '部分'}",
        f"refresh: {REFRESH[sheet.shape]}",
        f"inbox: {stem}*.{ending}",
        f"file: {_form(sheet, ending)}",
        "date: {name: '_(\\d{8})'}",
        f"firm: {{code: {_plain(sheet.code_header)}, name: {_plain(sheet.name_header)}}}",
    ]
    if sheet.shape == "long":
        lines.append(f"year: {{column: {_plain(sheet.year_header)}}}")
    if sheet.shape == "rows":
        lines.append(f"members: {{indicator: {sheet.subject}, key: {_plain(sheet.fields[0].header)}}}")
    lines.append("columns:")
    lines.append(f"  {_plain(sheet.code_header)}: ~")
    # Only the register of firms gives names; elsewhere a name is a cross-check.
    named = sheet.source == "market_registration"
    lines.append(f"  {_plain(sheet.name_header)}: {'{indicator: 企业名称, required: 是}' if named else '~'}")
    if sheet.shape == "long":
        lines.append(f"  {_plain(sheet.year_header)}: ~")
    lines += [f"  {_plain(f.header)}: {_column(f)}" for f in sheet.fields]
    return "\n".join(lines) + "\n"


def _complete(sheet: Sheet) -> bool:
    """全量: a register that names every holder (list, or marks by year)."""
    return sheet.shape == "list" or sheet.coverage >= 1.0


def _form(sheet: Sheet, ending: str) -> str:
    encoding = {"utf-8-sig": "utf-8"}.get(sheet.encoding, sheet.encoding)
    return f"{{format: csv, encoding: {encoding}}}" if ending == "csv" else f"{{format: {ending}}}"


def _column(field: Field) -> str:
    name, _, year = field.indicator.partition("@")
    keys = [f"indicator: {name}"]
    if field.unit:
        keys.append(f"unit: {_plain(field.unit)}")
    if year:
        keys.append(f"year: {year}")
    if builtin_dictionary()[name].kind == "列表":
        keys.append("separator: ；")
    return "{" + ", ".join(keys) + "}"


def _plain(text: str) -> str:
    """Quoted where YAML would read a mark into it."""
    return f'"{text}"' if any(c in text for c in "%(),:#{}[]") else text


def main() -> None:
    """写出全部声明."""
    for sheet in SHEETS:
        (FOLDER / f"{sheet.source}.yaml").write_text(declaration(sheet), encoding="utf-8")


if __name__ == "__main__":
    main()
