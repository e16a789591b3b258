"""Opens a session in a thread of its own, as gRPC may block for ever while it opens."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sk_supervisor._session.session import Session
from sk_supervisor._system.threads import begin


class Opening:
    """The opening of a session, which begins at construction.

    :param wake: called in the thread when the session is open, or could not be opened.
    :raises OSError: when the system cannot start a thread.
    """

    def __init__(self, open_session: Callable[[], Session], wake: Callable[[], object]) -> None:
        self._open, self._wake = open_session, wake
        self._lock, self._is_wanted = threading.Lock(), True
        self._session: Session | None = None
        self._error: BaseException | None = None
        begin(threading.Thread(target=self._run, name="session", daemon=True))

    def is_over(self) -> bool:
        """Whether the session is open, or could not be opened."""
        return self._session is not None or self._error is not None

    def take(self) -> Session:
        """Return the session, which the caller has to close. Call it when the opening is over.

        :raises BaseException: the error because of which it could not be opened.
        """
        if self._error is not None:
            raise self._error
        assert self._session is not None  # noqa: S101 - it is over
        return self._session

    def abandon(self) -> None:
        """Abandon the opening: the session is closed as soon as it is open."""
        with self._lock:
            self._is_wanted, session = False, self._session
        if session is not None:
            session.close()

    def _run(self) -> None:
        try:
            session = self._open()
        except BaseException as error:  # noqa: BLE001 - take() raises it
            self._error = error
        else:
            with self._lock:
                if self._is_wanted:
                    self._session = session
            if self._session is None:
                session.close()
        self._wake()
