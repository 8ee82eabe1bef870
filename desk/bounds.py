"""正文的上限: no request brings more than a policy's file may be, whoever asks: what is longer is refused before it is held in memory."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY = 21 << 20  # a file of 20 MB, and the form around it
TOO_LONG = "提交的内容超过 20 MB，没有读；请拆成几份"


class BoundedBody:
    """限正文: by what the request says of itself, and by counting where it says nothing or lies."""

    def __init__(self, app: ASGIApp, most: int = MOST_BODY):
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = next((v for k, v in scope["headers"] if k == b"content-length"), b"")
        if said.isdigit() and (len(said) > 12 or int(said) > self.most):
            await PlainTextResponse(TOO_LONG, 413, {"Connection": "close"})(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.most:
                raise HTTPException(413, TOO_LONG)
            return message

        await self.app(scope, counted, send)
