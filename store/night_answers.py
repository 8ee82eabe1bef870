"""答复与已兑现的文本: what a night took from people's books, as canonical lines for hashing and for replay."""

from __future__ import annotations

import json
from collections.abc import Mapping

from engine.matching import AnswerBook
from profiles.arrow_columns import CODE


def answers_text(book: AnswerBook) -> str:
    """答复簿的文本: canonical JSON lines, for hashing and for replay."""
    rows = [
        {
            "item": i,
            "batch": b,
            "id": a,
            CODE: code,
            "answer": given if isinstance(given, bool) else dict(given),
        }
        for (i, b, a), firms in sorted(book.items())
        for code, given in sorted(firms.items())
    ]
    return "".join(json.dumps(r, ensure_ascii=False, sort_keys=True) + "\n" for r in rows)


def answers_of_text(text: str) -> AnswerBook:
    """答复簿: back from its text."""
    book: dict[tuple[str, str, str], dict[str, bool | Mapping[str, bool]]] = {}
    for line in text.splitlines():
        row = json.loads(line)
        book.setdefault((row["item"], row["batch"], row["id"]), {})[row[CODE]] = row["answer"]
    return book


def received_text(received: Mapping[tuple[str, str], float]) -> str:
    """已兑现的文本: canonical JSON lines, for hashing and for replay."""
    rows = [{CODE: code, "group": group, "yuan": yuan} for (code, group), yuan in sorted(received.items())]
    return "".join(json.dumps(r, ensure_ascii=False, sort_keys=True) + "\n" for r in rows)
