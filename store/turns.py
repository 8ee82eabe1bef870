"""轮到谁: the persons whose turn a grant is: by role and department, and for 专员 and 企业 the firm's own two officers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.engine import Engine

from engine.grantmoves import FIRM, OFFICER, SYSTEM
from store.accounts import FirmOfficers, Person, officers, people
from store.grants import GrantCase


@dataclass(frozen=True)
class Turn:
    """轮到: the persons (login, name), or why there is nobody."""

    people: tuple[tuple[str, str], ...] = ()
    note: str = ""

    @property
    def logins(self) -> frozenset[str]:
        return frozenset(login for login, _ in self.people)

    def words(self) -> str:
        """一行话."""
        return "、".join(name for _, name in self.people) or self.note


class Turns:
    """人员表: read once, asked for many grants."""

    def __init__(self, engine: Engine):
        self._people = [p for p in people(engine) if p.active]
        self._officers = officers(engine)

    def of(self, case: GrantCase, roles: Iterable[str] = ()) -> Turn:
        """轮到谁 of a grant, and of further roles that it has been escalated to."""
        found: dict[str, str] = {}
        notes = []
        for role in dict.fromkeys((case.holder, *roles)):
            turn = self._of_role(case, role)
            found |= dict(turn.people)
            notes += [turn.note] if turn.note else []
        return Turn(tuple(found.items()), "；".join(notes))

    def _of_role(self, case: GrantCase, role: str) -> Turn:
        if role in ("", SYSTEM):
            return Turn()
        if role in (FIRM, OFFICER):
            return self._officers_of(case, role)
        able = [p for p in self._people if role in p.roles and p.department in ("", case.department)]
        own = [p for p in able if p.department == case.department and case.department]
        return _turn(own or able, f"{case.department or '本单位'}没有{role}人员")

    def _officers_of(self, case: GrantCase, role: str) -> Turn:
        """A firm's own step is its officers' to look after; where it has none, that is said."""
        row = self._officers.get(case.code, FirmOfficers(firm=case.code))
        logins = (row.service_officer, row.enterprise_officer)
        named = [p for login in logins for p in self._people if p.login == login and login]
        return _turn(named, "没有给这家企业定专员")

    def firms_of(self, person: Person) -> frozenset[str] | None:
        """只管的企业: of somebody who is an officer and nothing else; None where nothing is kept from them."""
        if set(person.roles) - {OFFICER}:
            return None
        mine = (
            f
            for f, row in self._officers.items()
            if person.login in (row.service_officer, row.enterprise_officer)
        )
        return frozenset(mine)


def _turn(found: list[Person], note: str) -> Turn:
    return Turn(tuple(dict.fromkeys((p.login, p.name) for p in found)), "" if found else note)
