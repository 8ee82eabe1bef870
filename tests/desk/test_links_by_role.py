"""每个角色看到的链接: nobody is shown a link to a page that refuses them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
import world
from clients import Desk, log_in

from desk.access import RIGHTS
from store import accounts

MOST = 110  # pages of different kinds that one role walks


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") or ""
        if tag == "a" and href.startswith("/desk"):
            self.found.add(href.split("#")[0])


def kind(address: str) -> str:
    """One of each kind of page: numbers, codes, items and values of the query do not make another."""
    path, _, query = address.partition("?")
    path = re.sub(r"[0-9A-Z]{15,18}|\d+|(?<=items/)[^/]+/[^/]+|(?<=data/)[^/]+", "*", path)
    return path + "?" + "&".join(sorted(part.split("=")[0] for part in query.split("&")))


@pytest.mark.parametrize("role", [role for role in RIGHTS if role != "企业"])
def test_no_link_leads_to_a_refusal(desk: Desk, role: str) -> None:
    login = f"walker{list(RIGHTS).index(role)}"
    accounts.create_person(desk.engine, login, "走查", [role], world.PASSWORD, by="admin", now=world.NOW)
    client = desk.anyone()
    assert log_in(client, login, world.PASSWORD).status_code == 303
    walked: set[str] = set()
    waiting, refused = [("/desk/today", "")], []
    while waiting and len(walked) < MOST:
        address, shown_by = waiting.pop(0)
        if kind(address) in walked:
            continue
        walked.add(kind(address))
        page = client.get(address, follow_redirects=False)
        if page.status_code in (403, 404, 500):
            refused.append((shown_by, address, page.status_code))
        if "text/html" in page.headers.get("content-type", ""):
            links = Links()
            links.feed(page.text)
            waiting += [(link, address) for link in sorted(links.found)]
    assert len(walked) > 10 and refused == []
