"""样张: the words that all firms of an item are told alike, kept once; a push has only what is its firm's own.

A form is named by its content and never changes, and a push's own is written once, so that what is sent is the same to
the byte however often it is sent.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import NamedTuple

from sqlalchemy import Text as LongText
from sqlmodel import Column, Field, SQLModel

# characters that no text has, where a form has what is each firm's own
FIRM, AMOUNT, KEY, CODE, LOW, HIGH = (chr(0xE000 + i) for i in range(6))
_OPEN = re.compile(f'("[{LOW}{HIGH}]"|[{FIRM}-{CODE}])')  # in JSON a number's mark stands in quotes


class PushForm(SQLModel, table=True):
    """样张: subject and body with marks in place of each firm's own; `id` is the hash of both."""

    __tablename__ = "push_form"
    id: str = Field(primary_key=True, max_length=40)
    subject: str = Field(sa_column=Column(LongText, nullable=False))
    body: str = Field(sa_column=Column(LongText, nullable=False))


class Form(NamedTuple):
    """一份样张, as it is stored."""

    id: str
    subject: str
    body: str


def form_of(subject: str, body: str) -> Form:
    """造样张 of texts with marks."""
    return Form(hashlib.sha256(f"{subject}\n{body}".encode()).hexdigest()[:40], subject, body)


def own_of(name: str, said: str) -> str:
    """各家自己的: the name, and what `sum_of` made of the sum; canonical JSON."""
    return f"[{encode_basestring(name)}{said}"


def sum_of(amount: str, low: str, high: str) -> str:
    """各家自己的数额: the sum in words, and its ends as JSON has them."""
    return f", {encode_basestring(amount)}, {low}, {high}]"


class Filler:
    """填写 one form, once for each of many firms; in JSON texts are escaped and numbers stand without quotes."""

    def __init__(self, subject: str, body: str, quoted: bool):
        self._subject, self._body, self._quoted = _Text(subject), _Text(body), quoted

    def words(self, key: str, firm: str, own: str) -> tuple[str, str]:
        """标题和正文 of the push named `key` of a firm, from what `own_of` made."""
        name, amount, low, high = json.loads(own)
        plain = {FIRM: name, AMOUNT: amount, KEY: key, CODE: firm, LOW: "", HIGH: ""}
        if not self._quoted:
            return self._subject.filled(plain), self._body.filled(plain)
        inside = {mark: encode_basestring(text)[1:-1] for mark, text in plain.items()}
        inside |= {LOW: json.dumps(low), HIGH: json.dumps(high)}
        return self._subject.filled(plain), self._body.filled(inside)


class _Text:
    """留空的文字: a text cut at its marks."""

    def __init__(self, text: str):
        self._parts = _OPEN.split(text)
        self._open = [(i, self._parts[i].strip('"')) for i in range(1, len(self._parts), 2)]

    def filled(self, own: Mapping[str, str]) -> str:
        parts = self._parts.copy()
        for i, mark in self._open:
            parts[i] = own[mark]
        return "".join(parts)
