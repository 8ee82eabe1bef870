"""工作台: the web application."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import jinja2
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse

from desk import hooks, pages
from desk.bounds import BoundedBody
from desk.journal import journal
from desk.office import Office
from desk.oidc import Provider, SignOn
from desk.outward import Network
from desk.pace import Limits, Rates, paced
from desk.web import (
    HERE,
    LoginNeeded,
    say_fault,
    say_misuse,
    say_unstorable,
    say_unwritten,
    secure,
    templates,
    to_login,
    warm_templates,
)
from store.database import DatabaseFault, DataError, Engine

NIGHT_LOOK = 2.0  # seconds between looks for a new night


def create_app(
    engine: Engine,
    home: Path,
    clock: Callable[[], datetime],
    *,
    zone: str = "",
    library: Path | None = None,
    warm: bool = False,
    sign_on: SignOn | None = None,
    firm_sign_on: SignOn | None = None,
    showing: bool = False,
    wall: Callable[[], datetime] | None = None,
    networks: Sequence[Network] = (),
    limits: Limits | None = None,
) -> FastAPI:
    """建工作台: over a database and a data folder; `clock` gives an aware moment, `library` is where rules are published, `warm` reads the latest night before it is asked for, `sign_on` is the office's single sign-on and `firm_sign_on` that of enterprises, `showing` says on every page that its day is not today (and `wall` gives the real moment then, for codes of telephones), `networks` are those inside that webhooks may reach, `limits` bound how fast anybody may ask."""
    app = FastAPI(title="惠企直达", docs_url=None, redoc_url=None, openapi_url=None)
    office = Office(engine, home, clock)
    office.zone, office.library_root = zone or office.zone, library or office.library_root
    office.firm_sign_on = Provider(firm_sign_on) if firm_sign_on is not None else None
    office.showing, office.wall = showing, wall
    office.sign_on = Provider(sign_on) if sign_on is not None else None
    app.state.office = office
    app.state.templates = templates()
    if warm:
        office.read = 0
        threading.Thread(target=_keep_warm, args=(office, app.state.templates), daemon=True).start()
        threading.Thread(target=hooks.keep_telling, args=(engine, clock, networks), daemon=True).start()
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    if limits is not None:
        app.middleware("http")(paced(Rates(limits)))
    app.add_middleware(BoundedBody)
    app.middleware("http")(secure)
    app.middleware("http")(journal)
    app.add_exception_handler(LoginNeeded, to_login)
    app.add_exception_handler(StarletteHTTPException, say_fault)
    app.add_exception_handler(RequestValidationError, say_misuse)
    app.add_exception_handler(DataError, say_unstorable)
    app.add_exception_handler(OverflowError, say_unstorable)
    app.add_exception_handler(DatabaseFault, say_unwritten)
    for name in _rooms():
        app.include_router(importlib.import_module(name).router)

    @app.get("/healthz", include_in_schema=False)
    def health() -> JSONResponse:
        night = app.state.office.night()
        return JSONResponse(
            {"ok": True, "night": night.no if night else None, "reading": app.state.office.reading()}
        )

    @app.get("/", include_in_schema=False)
    def front() -> RedirectResponse:
        return RedirectResponse("/desk/today", status_code=303)

    @app.get("/robots.txt", include_in_schema=False)
    def robots(request: Request) -> PlainTextResponse:
        """What a search engine may read: the public zone, whose map it finds here."""
        base = str(request.base_url).rstrip("/")
        return PlainTextResponse(
            f"User-agent: *\nAllow: /zone\nDisallow: /\nSitemap: {base}/zone/sitemap.xml\n"
        )

    return app


def _keep_warm(office: Office, pages: jinja2.Environment) -> None:
    """Read the templates and each new night once; a night that cannot be read is left to the page that will say so."""
    warm_templates(pages)
    while True:
        read_ahead(office)
        time.sleep(NIGHT_LOOK)


def read_ahead(office: Office) -> None:
    """先读后看: the night that is to be shown next is read, and shown from then on; whatever befalls, it is shown."""
    try:
        night = office.newest_released()
        if night is None or night.no == office.read:
            return
        try:
            office.warm(night)
        finally:
            office.read = night.no
    except Exception as error:  # the thread has to live: without it no later night would ever be shown
        logging.getLogger(__name__).warning(
            "比对没有读全：%s", error, exc_info=not isinstance(error, (OSError, ValueError))
        )


def _rooms() -> list[str]:
    """Every module with a router: the desk's pages, then the public zone, the firm's pages and the API."""
    inner = [f"desk.pages.{m.name}" for m in pkgutil.iter_modules(pages.__path__)]
    # `firmown` after `firm`: it ends in the answer to every other address under /my.
    return [
        *sorted(inner),
        "desk.api",
        "desk.firm",
        "desk.firmapply",
        "desk.firmlogin",
        "desk.firmown",
        "desk.notices",
        "desk.public",
    ]
