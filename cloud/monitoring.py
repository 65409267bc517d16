"""What whoever supervises the service asks by HTTP: figures, and whether it is well."""

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cloud.metrics import Metrics

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"

Ailments = Callable[[], Sequence[str]]
"""Sentences, one for each thing that is wrong; none: it is well."""


def monitoring(metrics: Metrics, ailments: Ailments, why_not_ready: Ailments) -> Starlette:
    """`/metrics` for Prometheus; `/healthz`: no waiting cures what it names; `/readyz`: it answers boards now."""

    async def figures(request: Request) -> Response:
        return Response(metrics.text(), media_type=TEXT_FORMAT)

    async def healthz(request: Request) -> Response:
        return _told(ailments())

    async def readyz(request: Request) -> Response:
        return _told([*ailments(), *why_not_ready()])

    return Starlette(routes=[Route("/metrics", figures), Route("/healthz", healthz), Route("/readyz", readyz)])


def _told(sentences: Sequence[str]) -> Response:
    return PlainTextResponse("\n".join(sentences or ["well"]) + "\n", status_code=503 if sentences else 200)
