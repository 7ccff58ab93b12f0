"""The console in a browser, on this machine only.

The server listens on the loopback address, and whoever asks must know the token that is printed once: other users of
the machine do not. A page of somebody else in the same browser cannot ask in its name: the names of host and origin are
compared (against DNS rebinding and cross-site requests), and the cookie that carries the token is sent by our own pages
alone.
"""

import asyncio
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from hmac import compare_digest
from http import HTTPStatus
from pathlib import Path

import click
from aiohttp import web
from textual_serve.server import Server

from triage.model.errors import UsageError

COOKIE = "triage-console"
_HOST = "127.0.0.1"
_ENDING = 5.0  # seconds that a console whose page is gone may take to conclude what runs
_TEMPLATES = Path(__file__).with_name("web")
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ConsoleServer(Server):
    """Serves one console at a time: two would both be at the keyboard of one case."""

    def __init__(self, command: str, port: int, token: str) -> None:
        super().__init__(command, host=_HOST, port=port, title="DigiVan triage", templates_path=_TEMPLATES)
        self._token = token
        self._keyboard = asyncio.Lock()

    async def application(self) -> web.Application:
        """Return the web application behind its guard."""
        application = await self._make_app()

        @web.middleware
        async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
            return await self._guarded(request, handler)

        application.middlewares.append(guard)
        return application

    async def on_startup(self, app: web.Application) -> None:
        """Print nothing: the address is printed once, by whoever serves."""

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Start a console for the page, unless one runs; one that is just ending, as of a page loaded anew, may end."""
        try:
            await asyncio.wait_for(self._keyboard.acquire(), _ENDING)
        except TimeoutError:
            raise web.HTTPConflict(text="the console is open in another window; close that one first") from None
        try:
            return await super().handle_websocket(request)
        finally:
            self._keyboard.release()

    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        self._check_sender(request)
        given = request.query.get("token", "")
        if self._knows(given) and request.path == "/":
            response: web.StreamResponse = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/"})
            response.set_cookie(COOKIE, given, httponly=True, samesite="Strict", path="/")
        elif self._knows(request.cookies.get(COOKIE, "")):
            response = await handler(request)
        else:
            raise web.HTTPForbidden(text="open the address that triage console --serve printed")
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    def _check_sender(self, request: web.Request) -> None:
        names = {f"{_HOST}:{self.port}", f"localhost:{self.port}"}
        origin = request.headers.get("Origin")
        own = {f"http://{name}" for name in names}
        needed = request.path == "/ws"
        if request.host not in names or (origin is None and needed) or (origin is not None and origin not in own):
            raise web.HTTPForbidden(text="this is not a page of the console")

    def _knows(self, given: str) -> bool:
        return compare_digest(given.encode("utf-8", "surrogateescape"), self._token.encode())


def serve_console(case: Path, library: Path | None, port: int) -> None:
    """Serve until a signal comes; what runs then is concluded. Raises UsageError where the port is taken."""
    words = [sys.executable, "-m", "triage.ui", "--case", str(case)]
    words += ["--library", str(library)] if library is not None else []
    with _listening(port) as listener:
        asyncio.run(_serve(shlex.join(words), listener))


def _listening(port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
    except OSError as error:
        listener.close()
        raise UsageError(
            f"port {port} of this machine cannot be used: {error.strerror}; name another: --serve 0"
        ) from error
    return listener


async def _serve(command: str, listener: socket.socket) -> None:
    token, port = secrets.token_urlsafe(32), listener.getsockname()[1]
    runner = web.AppRunner(await ConsoleServer(command, port, token).application(), access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    click.echo(f"The console is at http://{_HOST}:{port}/?token={token}  (Ctrl+C ends it)")
    try:
        await ended.wait()
    finally:
        await runner.cleanup()
