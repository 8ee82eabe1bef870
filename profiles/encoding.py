"""编码: which encoding a department's text file is in."""

from __future__ import annotations

from pathlib import Path

LOOK = 8 << 20  # bytes looked at to tell the encoding
ASCII = bytes(range(128))


def tell_encoding(path: Path) -> str:
    """编码: by byte order mark, else UTF-8 where its bytes are sound but for a few, else GB18030."""
    with path.open("rb") as file:
        head = file.read(LOOK)
    if head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    text = head.decode("utf-8", errors="replace")
    broken = text.count("�")
    foreign = len(head.translate(None, ASCII)) / 3 if broken else 1
    return "utf-8" if broken <= 0.05 * foreign + 1 else "gb18030"
