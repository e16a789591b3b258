"""A session that is opened beside who waits for it: gRPC may wait for ever in that."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sk_supervisor._session.session import Session
from sk_supervisor._system.threads import begin


class Opening:
    """Opens a session in a thread of its own, from the moment that it is made.

    :param wake: is called there once it is open, or cannot be.
    :raises OSError: when the system has no thread to give.
    """

    def __init__(self, open_session: Callable[[], Session], wake: Callable[[], object]) -> None:
        self._open, self._wake = open_session, wake
        self._lock, self._is_wanted = threading.Lock(), True
        self._session: Session | None = None
        self._error: BaseException | None = None
        begin(threading.Thread(target=self._run, name="session", daemon=True))

    def is_over(self) -> bool:
        """Whether it is open, or cannot be."""
        return self._session is not None or self._error is not None

    def take(self) -> Session:
        """The session, which is the caller's from now on; once it is over.

        :raises BaseException: what it could not be opened for.
        """
        if self._error is not None:
            raise self._error
        assert self._session is not None  # noqa: S101 - it is over
        return self._session

    def let_go(self) -> None:
        """Nobody wants it any more: it is closed, as soon as it is open."""
        with self._lock:
            self._is_wanted, session = False, self._session
        if session is not None:
            session.close()

    def _run(self) -> None:
        try:
            session = self._open()
        except BaseException as error:  # noqa: BLE001 - it is for whoever waits
            self._error = error
        else:
            with self._lock:
                if self._is_wanted:
                    self._session = session
            if self._session is None:
                session.close()
        self._wake()
