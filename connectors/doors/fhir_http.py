"""The hub's door: FHIR over HTTP. It answers "accepted" only when the broker has the entry."""

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.doors import fhir_answers
from connectors.doors.door import DoorAnswer, DoorSetup, require_allowed_host, take_entry
from connectors.sources import primary_care_fhir
from schemas.sources import Source

_log = logging.getLogger(__name__)
SOURCE_HEADER = "X-Tierlink-Source"
# the largest real message seen has 30 kB; what is sealed must fit one Kafka request
BODY_BYTES_MAX = 8 * 1024 * 1024
BODY_SECONDS_MAX = 30.0  # 8 MiB in 30 s is 2 Mbit/s; a trickle is cut off
CONNECTIONS_MAX = 256
_MEDIA_TYPES = frozenset({"application/fhir+json", "application/json"})


def create_app(setup: DoorSetup) -> FastAPI:
    """POST /fhir and GET /metadata. Every refusal is an OperationOutcome."""
    metrics = setup.metrics
    app = FastAPI(title="tierlink", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(_NoDetails)
    app.add_exception_handler(HTTPException, _http_failure)

    @app.post("/fhir")
    async def submit(request: Request) -> Response:
        source = _source(request.headers.get(SOURCE_HEADER), setup.sources)
        if source is None:
            return fhir_answers.failure(404, "not-found", f"{SOURCE_HEADER} names no FHIR source")
        if not _readable(request):
            metrics.refused(source.slug, "not-supported")
            return fhir_answers.failure(415, "not-supported", "must be FHIR JSON in UTF-8, not compressed")
        try:
            async with asyncio.timeout(BODY_SECONDS_MAX):
                raw = await _body(request)
        except TimeoutError:
            metrics.refused(source.slug, "timeout")
            return fhir_answers.failure(408, "timeout", f"took over {BODY_SECONDS_MAX:.0f} s to arrive")
        if raw is None:
            metrics.refused(source.slug, "too-long")
            return fhir_answers.failure(413, "too-long", f"is larger than {BODY_BYTES_MAX} bytes")
        return await run_in_threadpool(_answer, raw, source)

    def _answer(raw: bytes, source: Source) -> JSONResponse:
        (entry,) = primary_care_fhir.read(raw, source=source, test_mode=setup.test_mode, received_at=setup.clock())
        answer, entry_id = take_entry(setup, source, entry)
        if answer is DoorAnswer.TRY_AGAIN:
            return fhir_answers.try_again()
        if answer is DoorAnswer.REFUSED:
            unreadable = any(issue.location == primary_care_fhir.UNREADABLE for issue in entry.checked.issues)
            return fhir_answers.outcome(400 if unreadable else 422, entry.checked.issues)
        return fhir_answers.submission(202 if answer is DoorAnswer.ACCEPTED else 200, entry_id, entry.checked)

    @app.get("/metadata")
    async def metadata() -> Response:
        return JSONResponse(fhir_answers.capability_statement(), media_type=fhir_answers.FHIR_JSON)

    return app


class FhirHttpDoor:
    """POST /fhir for all the sources, on one port."""

    def __init__(self, setup: DoorSetup) -> None:
        require_allowed_host(setup.host, allow_remote=setup.allow_remote)
        self._setup = setup

    def serve(self, listening: Callable[[], None]) -> None:
        """See `Door`. The port is bound within milliseconds of `listening`; senders try again until it is."""
        setup = self._setup
        listening()
        server(create_app(setup), setup.host, setup.ports[""], allow_remote=setup.allow_remote).run()


open_door = FhirHttpDoor


def server(app: ASGIApp, host: str, port: int, *, allow_remote: bool = False) -> uvicorn.Server:
    """A server not yet started; once it runs it answers until SIGTERM or SIGINT. Port 0 is any free one.

    Raises InvalidField("host") for an address that is not loopback unless `allow_remote`.
    """
    require_allowed_host(host, allow_remote=allow_remote)
    logging.getLogger("uvicorn.access").disabled = True  # a request line may hold a person: ?identifier=…
    return _HttpDoorServer(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=15,  # above the broker's ten: what is under way is still answered
        )
    )


class _HttpDoorServer(uvicorn.Server):
    """Ends quietly: uvicorn itself raises the signal again after serving, before the caller can close anything."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        orders = (signal.SIGTERM, signal.SIGINT)
        former = {order: signal.signal(order, self.handle_exit) for order in orders}
        try:
            yield
        finally:
            for order, handler in former.items():
                signal.signal(order, handler)


class _NoDetails:
    """Answers any unforeseen error with 500 without details, and logs only its type."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def sent(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except ClientDisconnect:
            return  # nobody is left to answer, and nothing was kept
        except Exception as unforeseen:  # noqa: BLE001 (its text may hold what was sent; only the type is logged)
            _log.error("unforeseen %s in the FHIR door", type(unforeseen).__name__)
            if scope["type"] == "http" and not has_begun:
                answer = fhir_answers.failure(500, "exception", "could not be answered; send it again")
                await answer(scope, receive, send)


async def _http_failure(_: Request, failure: Exception) -> Response:
    """Wrong paths and methods: the status, and nothing of the request."""
    assert isinstance(failure, HTTPException)
    code = {404: "not-found", 405: "not-supported"}.get(failure.status_code, "processing")
    return fhir_answers.failure(failure.status_code, code, "is not served here")


def _source(slug: str | None, sources: Mapping[str, Source]) -> Source | None:
    """The source a request names, else the only one that is no test feed."""
    if slug is not None:
        return sources.get(slug)
    real = [source for source in sources.values() if not source.every_service]
    return real[0] if len(real) == 1 else None


def _readable(request: Request) -> bool:
    """True for plain FHIR JSON: no other media type, character set or content encoding."""
    media_type, *parameters = request.headers.get("content-type", "").lower().split(";")
    charsets = (part.strip()[8:].strip('"') for part in parameters if part.strip().startswith("charset="))
    charset = next(charsets, "utf-8")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    return media_type.strip() in _MEDIA_TYPES and charset in ("utf-8", "utf8") and encoding == "identity"


async def _body(request: Request) -> bytes | None:
    """The whole body, or None as soon as it is known to be too large."""
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and len(length) < 20 and int(length) > BODY_BYTES_MAX:
        return None
    body = bytearray()
    chunks: AsyncIterator[bytes] = request.stream()
    async for chunk in chunks:
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return bytes(body)
