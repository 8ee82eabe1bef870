"""压缩包的样子: office files are zip archives of XML; a bomb, an entity or a damaged one is told before it is opened."""

from __future__ import annotations

import zipfile
import zlib
from typing import BinaryIO

MOST_BYTES, MOST_MEMBERS = 100 << 20, 2_000
MOST_RATIO = 150  # real sheets shrink to a twentieth, a run of one letter to a thousandth
HEAD = 1 << 16
XML = (".xml", ".rels")


def why_not_office(file: str | BinaryIO, most: int | None = MOST_BYTES) -> str:
    """为什么不收: of a .docx or .xlsx (a path or an open file), in words; "" for a sound one. `most` bounds the unpacked
    bytes where all of them will stand in memory; a table that is read as a stream has no bound but the ratio.

    Sizes are those the archive declares, which zipfile never reads beyond. A document type (`<!DOCTYPE`) is the way to
    entities, local files and exponential text (XXE, billion laughs); office programs never write one.
    """
    try:
        with zipfile.ZipFile(file) as box:
            members = box.infolist()
            if len(members) > MOST_MEMBERS:
                return f"里面有 {len(members):,} 个文件，不像正常的文档"
            whole, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
            if whole > MOST_BYTES and (whole > MOST_RATIO * packed or (most is not None and whole > most)):
                return f"解开有 {whole / (1 << 20):,.0f} MB，太大或者不像正常的文档；请拆成几个文件"
            for member in members:
                if not member.filename.endswith(XML):
                    continue
                with box.open(member) as part:
                    if b"<!DOCTYPE" in part.read(HEAD).replace(b"\0", b"").upper():
                        return "里面有文档类型声明（DOCTYPE），正常的文档没有；请用 Word 或 WPS 打开后另存为新的一份"
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError, zlib.error):
        return "文件坏了或者加了密；请用 Word 或 WPS 打开后另存为新的一份"
    return ""
