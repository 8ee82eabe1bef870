"""联系与意愿: how a firm can be reached, what it consented to, refused or stopped, and credit holds."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine
from sqlmodel import Field, SQLModel, col, select

from profiles.codes import is_code
from store import audit
from store.database import json_column, session, utc_column, writing
from store.sheets import read_rows


class FirmReach(SQLModel, table=True):
    """企业联系: addresses, consent (None: never asked), items it does not want, a credit hold with its cause; days it wants
    between two messages (None: as the office does)."""

    __tablename__ = "firm_reach"

    code: str = Field(primary_key=True, max_length=18)
    email: str = Field(default="", max_length=200)
    phone: str = Field(default="", max_length=40)
    consent: bool | None = None
    stopped: bool = False
    refused: list[str] = Field(default_factory=list, sa_column=json_column())
    hold: str = Field(default="", max_length=200)
    hold_until: date | None = None
    every_days: int | None = None
    updated: datetime = Field(sa_column=utc_column())


FIELDS = ("email", "phone", "consent", "stopped", "refused", "hold", "hold_until", "every_days")


def reach(engine: Engine, code: str) -> FirmReach | None:
    """一家企业的联系."""
    with session(engine) as opened:
        return opened.get(FirmReach, code)


def addresses(engine: Engine) -> list[FirmReach]:
    """各企业的联系."""
    with session(engine) as opened:
        return list(opened.exec(select(FirmReach)).all())


def change_reach(engine: Engine, code: str, at: datetime, **changes: Any) -> FirmReach:
    """改联系与意愿: consent, stop, refusal of an item, address, hold. Raises ValueError for an unknown field."""
    unknown = set(changes) - set(FIELDS)
    if unknown:
        raise ValueError(f"没有这些联系字段：{'、'.join(sorted(unknown))}")
    with writing(engine) as opened:
        row = opened.get(FirmReach, code) or FirmReach(code=code, updated=at)
        for name, value in changes.items():
            setattr(row, name, value)
        row.updated = at
        opened.add(row)
        return row


MAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")
PHONE = re.compile(r"1\d{10}|0\d{2,3}-?\d{7,8}(-\d{1,6})?|400-?\d{3}-?\d{4}")


def own_contacts(engine: Engine, code: str, at: datetime, email: str, phone: str, by: str) -> list[str]:
    """企业自己改联系方式: what is left empty stays; which fields changed. On record without the addresses themselves.

    Raises ValueError where one is no address.
    """
    email, phone = email.strip(), re.sub(r"\s", "", phone)
    if email and not (len(email) <= 200 and MAIL.fullmatch(email)):
        raise ValueError("邮箱要写成 name@example.com")
    if phone and not PHONE.fullmatch(phone):
        raise ValueError("电话要写成 11 位手机号，或区号加号码，例如 022-12345678")
    kept = reach(engine, code)
    before = {"email": kept.email if kept else "", "phone": kept.phone if kept else ""}
    changes = {k: v for k, v in (("email", email), ("phone", phone)) if v and v != before[k]}
    if changes:
        change_reach(engine, code, at, **changes)
        names = [{"email": "邮箱", "phone": "电话"}[k] for k in changes]
        with writing(engine) as opened:
            audit.record(opened, by, "企业改联系方式", code, {"改了": names}, at)
        return names
    return []


def erase_contacts(
    engine: Engine, at: datetime, by: str, *, code: str | None = None, older_than: int | None = None
) -> int:
    """抹去联系方式 of one firm, or of all not changed for `older_than` days; consent, refusals and holds stay.

    On record without the addresses (个人信息保护法 第47条: 保存期限届满或者撤回同意的，应当删除). Returns how many.
    """
    with writing(engine) as opened:
        query = select(FirmReach).where((col(FirmReach.email) != "") | (col(FirmReach.phone) != ""))
        if code is not None:
            query = query.where(FirmReach.code == code)
        if older_than is not None:
            query = query.where(col(FirmReach.updated) < at - timedelta(days=older_than))
        rows = list(opened.exec(query))
        for row in rows:
            row.email = row.phone = ""
            row.updated = at
            opened.add(row)
        if rows:
            about = {"企业": [r.code for r in rows], "多少天没有改过": older_than}
            audit.record(opened, by, "抹去联系方式", code or "", about, at)
        return len(rows)


COLUMNS = ("统一社会信用代码", "邮箱", "手机", "同意")


def change_from_file(engine: Engine, path: Path, at: datetime) -> tuple[int, list[str]]:
    """从表改联系: how many firms, and rows that were refused; empty cells change nothing."""
    count, rejected = 0, []
    for line, cells in read_rows(path, COLUMNS, "联系与意愿"):
        code = cells["统一社会信用代码"].upper()
        try:
            if not is_code(code):
                raise ValueError(f"“{code}”不是有效的统一社会信用代码")
            if cells["同意"] not in ("", "是", "否"):
                raise ValueError(f"同意“{cells['同意']}”应当是 是、否 或空着")
            if cells["邮箱"] and not MAIL.fullmatch(cells["邮箱"]):
                raise ValueError(f"邮箱“{cells['邮箱']}”不像邮箱")
        except ValueError as error:
            rejected.append(f"{path.name}:{line} {error}")
            continue
        given: dict[str, Any] = {"email": cells["邮箱"], "phone": cells["手机"]}
        given["consent"] = {"是": True, "否": False}.get(cells["同意"], "")
        change_reach(engine, code, at, **{k: v for k, v in given.items() if v != ""})
        count += 1
    return count, rejected
