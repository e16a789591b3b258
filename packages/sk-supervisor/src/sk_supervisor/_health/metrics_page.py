"""``/metrics``: the response to a scrape."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

from sk_observability import Exposition, MetricsSnapshot

from sk_supervisor._health.http import Page

#: Workers report once a second: within this time a scrape gets the cached page.
FRESH_SECONDS = 0.5


class MetricsPage:
    """Answers scrapes. For one event loop.

    :param take: takes a snapshot of the run; thread-safe.
    :param expose: formats a snapshot as text.
    :param clock: returns seconds.
    """

    def __init__(
        self,
        take: Callable[[], MetricsSnapshot],
        expose: Callable[[MetricsSnapshot], Exposition],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._take, self._expose, self._clock = take, expose, clock
        self._page: Page | None = None
        self._written_at = 0.0

    async def answer(self) -> Page:
        """The page, at most half a second old."""
        now = self._clock()
        if self._page is None or now - self._written_at >= FRESH_SECONDS:
            text = self._expose(self._take())
            self._page = Page(HTTPStatus.OK, text.body, text.content_type)
            self._written_at = now
        return self._page
