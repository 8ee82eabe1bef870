"""A desk over a copy of the small office, with a logged-in client a person."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import world
from fastapi.testclient import TestClient

from desk.app import create_app
from store.accounts import who_is
from store.database import open_database
from tests.databases import copy_database, database_in


class Desk:
    """A desk over a copy of the office, with logged-in clients by person."""

    def __init__(self, home: Path, library: Path):
        self.home = home
        self.engine = open_database(database_in(home))
        self.moment = world.NOW
        self.app = create_app(self.engine, home, lambda: self.moment, library=library)
        self._clients: dict[str, TestClient] = {}

    def anyone(self) -> TestClient:
        return TestClient(self.app, base_url="http://desk", follow_redirects=False)

    def client(self, login: str) -> TestClient:
        if login not in self._clients:
            client = self.anyone()
            assert log_in(client, login, world.PASSWORD).status_code == 303
            self._clients[login] = client
        return self._clients[login]

    def csrf(self, login: str) -> str:
        found = who_is(self.engine, self.client(login).cookies["huiqi_session"], self.moment)
        assert found is not None
        return found.csrf

    def post(self, login: str, path: str, **form: object):  # type: ignore[no-untyped-def]
        return self.client(login).post(path, data={"csrf": self.csrf(login), **form})


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, "the page has no form"
    return found[1]


def log_in(client: TestClient, login: str, password: str):  # type: ignore[no-untyped-def]
    token = csrf_of(client.get("/desk/login").text)
    return client.post("/desk/login", data={"login": login, "password": password, "csrf": token, "next": ""})


def copy_of(built: Path, target: Path) -> Desk:
    import policies

    shutil.copytree(built, target)
    copy_database(built, target)
    library = target / "library"
    shutil.copytree(Path(policies.__file__).with_name("library"), library)
    return Desk(target, library)
