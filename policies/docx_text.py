"""读 .docx: paragraphs with the numbers Word shows before them, and tables, as a document reads with all its changes taken."""

from __future__ import annotations

import re
from typing import Any

from policies.table_text import WIDEST, Cell, Grid, table_lines


def docx_lines(document: Any) -> list[str]:
    """正文各行 of an opened document, tables among them."""
    from docx.table import Table

    _as_shown(document.element.body)
    counters: dict[tuple[str, str], int] = {}
    out: list[str] = []
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            out.extend(table_lines(_docx_grid(block)))
        else:
            out.append(_auto_number(block, counters) + block.text)
    return out


def docx_grids(document: Any) -> list[Grid]:
    """各表格 of an opened document."""
    _as_shown(document.element.body)
    return [_docx_grid(table) for table in document.tables]


# python-docx passes over what stands in these: text put in while changes are tracked, content controls, smart tags.
_WRAPS = ("ins", "moveTo", "sdt", "smartTag")
_GONE = ("del", "moveFrom")


_COUNTS = ("gridSpan", "gridBefore", "gridAfter")


def _as_shown(body: Any) -> None:
    """The body as Word shows it when all tracked changes are taken: wrappers opened, what was struck out removed.

    A cell says across how many columns it goes, and python-docx makes as many of it: no more than a table can have.
    """
    from docx.oxml.ns import qn

    for name in _COUNTS:
        for node in body.iter(qn(f"w:{name}")):
            if int(node.get(qn("w:val"), "1")) > WIDEST:
                node.set(qn("w:val"), str(WIDEST))
    for name in _GONE:
        for node in [n for n in body.iter(qn(f"w:{name}")) if n.getparent().tag != qn("w:rPr")]:
            node.getparent().remove(node)
    for name in _WRAPS:
        for node in [n for n in body.iter(qn(f"w:{name}")) if n.getparent().tag != qn("w:rPr")]:
            inner = node.find(qn("w:sdtContent")) if name == "sdt" else node
            for child in list(inner) if inner is not None else []:
                node.addprevious(child)
            node.getparent().remove(node)


def _docx_grid(table: Any) -> Grid:
    """A merged cell comes back at every place that it covers.

    Row by row and beside the row above: python-docx climbs from every covered place up to where the merged cell begins.
    """
    from docx.table import _Cell

    out: Grid = []
    above: list[Cell] = []
    for row in table.rows:
        line = [Cell("")] * row.grid_cols_before
        for tc in row._tr.tc_lst:
            at, across = len(line), tc.grid_span
            goes_on = tc.vMerge == "continue" and at < len(above)
            line += above[at : at + across] if goes_on else [_docx_cell(_Cell(tc, table))] * across
        out.append(line)
        above = line
    return out


def _docx_cell(cell: Any) -> Cell:
    from docx.table import Table

    inner = (
        "\n".join(table_lines(_docx_grid(b))) if isinstance(b, Table) else b.text
        for b in cell.iter_inner_content()
    )
    return Cell("\n".join(inner).strip())


_CN_ORDER = "零一二三四五六七八九十"


def _auto_number(paragraph: Any, counters: dict[tuple[str, str], int]) -> str:
    """The label Word shows before an automatically numbered paragraph; its text does not hold it."""
    numbering = _numbering(paragraph)
    if numbering is None or numbering.numId is None or not numbering.numId.val or not paragraph.text.strip():
        return ""
    level = str(numbering.ilvl.val if numbering.ilvl is not None else 0)
    form, pattern = _number_form(paragraph, str(numbering.numId.val), level)
    key = (str(numbering.numId.val), level)
    for other in [k for k in counters if k[0] == key[0] and k[1] > level]:
        del counters[other]
    counters[key] = counters.get(key, 0) + 1
    if form == "bullet":
        return ""
    n = counters[key]
    shown = _chinese(n) if "hinese" in form or "apanese" in form or "ideograph" in form.lower() else str(n)
    return re.sub(r"%\d+", shown, re.sub(r"%\d+[.．](?=%\d)", "", pattern))


def _numbering(paragraph: Any) -> Any:
    """A paragraph's own numbering, else that of its style or of the style it is based on."""
    holders, style = [paragraph._p], paragraph.style
    while style is not None and len(holders) < 12:
        holders.append(style.element)
        style = style.base_style
    found = (h.pPr.numPr for h in holders if h.pPr is not None)
    return next((n for n in found if n is not None), None)


def _chinese(n: int) -> str:
    if n <= 10:
        return _CN_ORDER[n]
    tens, ones = divmod(n, 10)
    return ("" if tens == 1 else _CN_ORDER[tens]) + "十" + (_CN_ORDER[ones] if ones else "")


def _number_form(paragraph: Any, num_id: str, level: str) -> tuple[str, str]:
    from docx.oxml.ns import qn

    try:
        root = paragraph.part.numbering_part.element
    except (KeyError, NotImplementedError):  # a file without a part of numberings: Word counts 1. 2. 3. there
        return "decimal", "%1."
    link = next((n for n in root.findall(qn("w:num")) if n.get(qn("w:numId")) == num_id), None)
    ref = link.find(qn("w:abstractNumId")) if link is not None else None
    wanted = ref.get(qn("w:val")) if ref is not None else None
    for abstract in root.findall(qn("w:abstractNum")):
        if abstract.get(qn("w:abstractNumId")) != wanted:
            continue
        for lvl in abstract.findall(qn("w:lvl")):
            if lvl.get(qn("w:ilvl")) == level:
                form, text = lvl.find(qn("w:numFmt")), lvl.find(qn("w:lvlText"))
                return (
                    form.get(qn("w:val")) if form is not None else "decimal",
                    text.get(qn("w:val")) if text is not None else "%1.",
                )
    return "decimal", "%1."
