"""读文件: a policy file of any common format as plain text, one line a paragraph; what can't be read says what to do."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from engine.archives import why_not_office
from policies.docx_text import docx_grids, docx_lines
from policies.pdf import PdfTrouble, pdf_pages, pdf_tables
from policies.table_text import Grid, plain, spanned, table_lines

FORMATS = (".docx", ".pdf", ".html", ".htm", ".txt", ".md")
LEGACY = (".doc", ".wps", ".rtf", ".et", ".ceb")
_OLE = b"\xd0\xcf\x11\xe0"
_LEAST_LETTERS = 12  # a page with a text layer has more characters than this
# Far beyond any policy: what is larger is no policy file, and would only hold up the machine.
MOST_FILE, MOST_LETTERS, LONGEST_LINE, DEEPEST = 50 << 20, 400_000, 8_000, 400
MOST_ATTRIBUTES = 500  # of one tag: each is looked for among those before it


class Unreadable(ValueError):
    """读不了: a file that holds no text a machine can take; the message says what to do."""


def read_document(path: Path) -> str:
    """读政策文件: the text of a .docx, .pdf, .html, .txt or .md file. Raises Unreadable and OSError."""
    if not path.is_file():
        raise Unreadable(f"没有这个文件：{path}；请核对路径")
    suffix = path.suffix.lower()
    data = path.read_bytes()
    if suffix in LEGACY or data[:4] == _OLE:
        raise Unreadable(
            f"{path.name} 是旧格式（{suffix or '.doc'}）：请用 Word 或 WPS 打开，另存为 .docx 后再拆解"
        )
    if suffix not in READERS:
        raise Unreadable(f"{path.name}：不认识的格式 {suffix or '（无扩展名）'}；可读 {'、'.join(FORMATS)}")
    if len(data) > MOST_FILE:
        raise Unreadable(
            f"{path.name} 有 {len(data) >> 20} MB，超过 {MOST_FILE >> 20} MB；请拆成几个文件，或去掉里面的图片"
        )
    try:
        text = READERS[suffix](data, path.name)
    except RecursionError:
        raise Unreadable(f"{path.name} 的层次套得太深，不像正常的网页；请只存正文") from None
    if len(text) > MOST_LETTERS:
        raise Unreadable(f"{path.name} 有 {len(text):,} 字，超过 {MOST_LETTERS:,} 字；请一份政策一个文件")
    longest = max(map(len, text.split("\n")))
    if longest > LONGEST_LINE:
        raise Unreadable(
            f"{path.name} 有一段长 {longest:,} 字，超过 {LONGEST_LINE:,} 字，不像政策文件；请按段落分行"
        )
    if not re.search(r"\w", text):
        raise Unreadable(f"{path.name} 里没有文字：请确认文件不是空的，扫描件请先做文字识别（OCR）")
    return text


def decode(data: bytes, name: str) -> str:
    """解码: UTF-8 (with or without mark), UTF-16 or GB18030; line ends become one newline. Raises Unreadable."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            try:
                return _lines(data.decode(encoding))
            except UnicodeDecodeError:
                raise Unreadable(
                    f"{name}：开头标着 {encoding[:6].rstrip('-').upper()}，里面却有不合的字节；请另存为 UTF-8 文本"
                ) from None
    for encoding in ("utf-8", "gb18030"):
        try:
            return _lines(data.decode(encoding))
        except UnicodeDecodeError:
            continue
    from charset_normalizer import from_bytes

    best = from_bytes(data).best()
    if best is None:
        raise Unreadable(f"{name}：认不出文字编码；请另存为 UTF-8 文本")
    return _lines(str(best))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_text(data: bytes, name: str) -> str:
    return decode(data, name)


_MD = re.compile(r"^\s{0,3}#{1,6}\s+|\*\*|__(?=\S)|(?<=\S)__|`", re.M)


def _read_markdown(data: bytes, name: str) -> str:
    text = _MD.sub("", decode(data, name))
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    out: list[str] = []
    for is_row, run in itertools.groupby(_lines(text).split("\n"), lambda x: x.count("|") >= 2):
        lines = list(run)
        out += table_lines(plain(_md_rows(lines))) if is_row else lines
    return "\n".join(out)


def _md_rows(lines: Iterable[str]) -> Iterator[list[str]]:
    for line in lines:
        cells = [c.strip().replace("<br>", "\n") for c in _MD_CELL.split(line.strip().strip("|"))]
        if not all(_MD_RULE.fullmatch(c) for c in cells):
            yield cells


_MD_CELL, _MD_RULE = re.compile(r"(?<!\\)\|"), re.compile(r":?-+:?")


def _open_docx(data: bytes, name: str) -> Any:
    import docx

    wrong = why_not_office(BytesIO(data))
    if wrong:
        raise Unreadable(f"{name} {wrong}")
    try:
        return docx.Document(BytesIO(data))
    except Exception as error:
        raise _not_sound(name, error) from error


def _not_sound(name: str, error: Exception) -> Exception:
    """What to say of a .docx that python-docx stumbles over: it trusts its XML and fails in any way at all (fuzzed)."""
    if isinstance(error, RecursionError):
        return error
    return Unreadable(f"{name} 不是完好的 .docx：请用 Word 或 WPS 打开后另存为 .docx")


def _read_docx(data: bytes, name: str) -> str:
    document = _open_docx(data, name)
    try:
        return _lines("\n".join(docx_lines(document)))
    except Exception as error:
        raise _not_sound(name, error) from error


def read_tables(path: Path) -> list[list[list[str]]]:
    """读表格: the tables of a .docx, .pdf or .html in their order, each rows of cells. Raises Unreadable and OSError."""
    data, name = path.read_bytes(), path.name
    if len(data) > MOST_FILE:
        raise Unreadable(f"{name} 有 {len(data) >> 20} MB，超过 {MOST_FILE >> 20} MB；请拆成几个文件")
    try:
        return _tables(data, name, path.suffix.lower())
    except RecursionError:
        raise Unreadable(f"{name} 的层次套得太深，不像正常的文件；请只存表格") from None


def _tables(data: bytes, name: str, suffix: str) -> list[list[list[str]]]:
    if suffix == ".docx":
        document = _open_docx(data, name)
        try:
            return [_texts(grid) for grid in docx_grids(document)]
        except Exception as error:
            raise _not_sound(name, error) from error
    if suffix in (".html", ".htm"):
        from selectolax.lexbor import LexborHTMLParser

        return [_texts(_html_grid(t)) for t in LexborHTMLParser(_html_text(data, name)).css("table")]
    if suffix == ".pdf":
        return _pdf_tables(data, name)
    raise Unreadable(f"{name} 里的表格读不了：请另存为 .xlsx、.csv、.docx、.pdf 或 .html")


def _texts(grid: Grid) -> list[list[str]]:
    """Texts of a grid; a cell that covers several columns stands in the first."""
    return [[c.text if k == 0 or c is not row[k - 1] else "" for k, c in enumerate(row)] for row in grid]


def _pdf_tables(data: bytes, name: str) -> list[list[list[str]]]:
    """Ruled tables of a PDF; a page without any gives its lines, each cut at spaces."""
    try:
        out = pdf_tables(data)
    except PdfTrouble as trouble:
        raise Unreadable(f"{name} {trouble}") from None
    if not any(cell for table in out for row in table for cell in row):
        raise Unreadable(f"{name} 是扫描件（没有文字层）：请先做文字识别（OCR），或向发文单位要 .xlsx")
    return out


_PAGE_NUMBER = re.compile(r"^\s*[-—–－]?\s*(?:第\s*)?\d{1,3}\s*(?:页.{0,8})?[-—–－]?\s*$")


def _read_pdf(data: bytes, name: str) -> str:
    try:
        pages = pdf_pages(data)
    except PdfTrouble as trouble:
        raise Unreadable(f"{name} {trouble}") from None
    letters = sum(len(re.findall(r"\w", p)) for p in pages)
    if letters < _LEAST_LETTERS * max(1, len(pages)):
        raise Unreadable(f"{name} 是扫描件（没有文字层）：请先做文字识别（OCR），或向发文单位要 .docx")
    text = "\n".join(pages)
    if text.count("�") + text.count("(cid:") > 0.02 * letters:
        raise Unreadable(f"{name} 的字体没有文字对应表，读出来是乱码：请用 WPS 或 Word 打开后另存为 .docx")
    return reflow(_lines(text).split("\n"))


def reflow(lines: list[str]) -> str:
    """合行: lines that the page broke put together again; page numbers left out."""
    from .segment import label_of

    kept = [line.replace("￾", "").rstrip() for line in lines if line.strip() and not _PAGE_NUMBER.match(line)]
    if not kept:
        return ""
    widths = sorted(_width(line) for line in kept)
    full = widths[int(len(widths) * 0.9)] if len(widths) > 4 else 10**6
    out = [kept[0].strip()]
    for before, line in itertools.pairwise(kept):
        new = line.strip()
        ended = re.search(r"[。；;：:！？!?]$", before)
        goes_on = not ended and _width(before) >= 0.86 * full and not (label_of(new)[2] and _fresh(before))
        if goes_on:
            out[-1] += new
        else:
            out.append(new)
    return "\n".join(out)


def _width(line: str) -> int:
    return sum(2 if ord(ch) > 0x2E80 else 1 for ch in line.strip())


def _fresh(before: str) -> bool:
    return bool(re.search(r"[。；;：:]$", before)) or not re.search(r"[，、的和与及按第]$", before)


_BODY = (
    ".TRS_Editor, .TRS_UEDITOR, #zoom, #Zoom, .Custom_UnionStyle, .article-content, .article_con, .article-con, .pages_content, "
    ".view, .xxgk_content, #UCAP-CONTENT, .rich_media_content, .news_content, .content_body, .con_text, .detail-content, article, main"
)
_DROP = "script, style, nav, header, footer, noscript, iframe, form, .share, .breadcrumb, .nav, .footer, .header, .menu"
_BLOCKS = {
    "p",
    "div",
    "br",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "tr",
    "section",
    "article",
    "ul",
    "ol",
    "dd",
    "dt",
    "center",
}


def _read_html(data: bytes, name: str) -> str:
    from selectolax.lexbor import LexborHTMLParser

    page = _html_text(data, name)
    tree = LexborHTMLParser(page)
    title = tree.css_first("h1")
    for node in tree.css(_DROP):
        node.decompose()
    bodies = [n for n in tree.css(_BODY) if len(n.text(strip=True)) > 60]
    body = max(bodies, key=lambda n: len(n.text(strip=True))) if bodies else _densest(tree)
    if body is None:
        return ""
    out: list[str] = [""]
    _walk(body, out)
    lines = [re.sub(r"[ \t\xa0\u3000]+", " ", line).strip() for line in "".join(out).split("\n")]
    kept = [line for line in lines if line]
    head = re.sub(r"\s+", " ", title.text(strip=True)) if title is not None and title.html else ""
    return "\n".join(([head] if head and head not in "".join(kept[:3]) else []) + kept)


_CONTAINER = re.compile(
    r"<(/?)(?:div|section|article|table|ul|ol|dl|blockquote|span|font|details|center|form|main|nav|header|footer|aside|figure|fieldset|pre|menu|dir)\b",
    re.I,
)


def _depth(page: str) -> int:
    """How deep the containers of a page stand in each other, told from its tags without building a tree."""
    deepest = depth = 0
    for tag in _CONTAINER.finditer(page):
        depth = max(0, depth - 1) if tag[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _html_text(data: bytes, name: str) -> str:
    """The page, of which a parser makes a tree in no more time than its length allows. Raises Unreadable."""
    page = _html_decoded(data, name)
    if _depth(page) > DEEPEST:
        raise Unreadable(f"{name} 的层次套得太深，不像正常的网页；请只存正文")
    if any(tag[0].count("=") > MOST_ATTRIBUTES for tag in re.finditer(r"<[a-zA-Z][^<>]{2000,}", page)):
        raise Unreadable(f"{name} 里有一个标签带了几百个属性，不像正常的网页；请只存正文")
    return page


def _html_decoded(data: bytes, name: str) -> str:
    declared = re.search(rb"charset\s*=\s*[\"']?\s*([\w-]+)", data[:4096], re.I)
    if declared:
        encoding = declared[1].decode("ascii").lower()
        encoding = "gb18030" if encoding in ("gb2312", "gbk", "gb18030") else encoding
        try:
            return _lines(data.decode(encoding))
        except (UnicodeDecodeError, LookupError):
            pass  # the page lies about itself; its bytes decide
    return decode(data, name)


def _densest(tree: Any) -> Any:
    """The node whose own paragraphs hold most of the page's text."""
    best, score = tree.body, 0.0
    for node in tree.css("div, td, section"):
        own = sum(len(c.text(strip=True)) for c in node.iter() if c.tag in ("p", "table", "h2", "h3", "ul"))
        if own > score * 1.05:
            best, score = node, float(own)
    whole = len(tree.body.text(strip=True)) if tree.body is not None else 0
    return best if score > 0.4 * whole else tree.body


def _walk(node: Any, out: list[str]) -> None:
    for child in node.iter(include_text=True):
        if child.tag == "-text":
            out.append(re.sub(r"\s+", " ", child.text_content or ""))
        elif child.tag == "table":
            out.append("\n" + "\n".join(table_lines(_html_grid(child))) + "\n")
        else:
            block = child.tag in _BLOCKS
            out.append("\n" if block else "")
            _walk(child, out)
            out.append("\n" if block else "")


def _own(node: Any, tags: tuple[str, ...]) -> Iterator[Any]:
    """The nearest nodes of these tags below `node`, none of a table inside: those belong to the cell they stand in."""
    for child in node.iter():
        if child.tag in tags:
            yield child
        elif child.tag != "table":
            yield from _own(child, tags)


def _html_grid(table: Any) -> Grid:
    return spanned(
        [(_cell_text(c), _span(c, "rowspan"), _span(c, "colspan")) for c in _own(row, ("td", "th"))]
        for row in _own(table, ("tr",))
    )


def _cell_text(cell: Any) -> str:
    inner: list[str] = []
    _walk(cell, inner)
    return re.sub(r"[ \t\xa0]*\n\s*", "\n", "".join(inner)).strip()


def _span(cell: Any, name: str) -> int:
    said = re.match(r"\s*(\d{1,4})", cell.attributes.get(name) or "")
    return int(said[1]) if said else 1


READERS: dict[str, Callable[[bytes, str], str]] = {
    ".docx": _read_docx,
    ".pdf": _read_pdf,
    ".html": _read_html,
    ".htm": _read_html,
    ".txt": _read_text,
    ".md": _read_markdown,
}
