"""The session's table."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_control import (
    TRANSITIONS,
    ControlPlaneSession,
    ControlProtocolError,
    MessageKind,
    ProtocolCode,
    SessionState,
    next_state,
)

K, S, C = MessageKind, SessionState, ProtocolCode
ORDINARY_LIFE = [
    (K.HELLO, S.GREETED),
    (K.BOOTSTRAP_BUNDLE, S.BOOTSTRAPPED),
    (K.BUNDLE_ACK, S.ACKED),
    (K.READY, S.READY),
    (K.HEARTBEAT, S.READY),
    (K.START_WORK, S.WORKING),
    (K.PROGRESS, S.WORKING),
    (K.DRAINED, S.DRAINED),
    (K.STOP, S.STOPPING),
    (K.STOP_ACK, S.STOPPED),
]


def session_in(state: SessionState) -> ControlPlaneSession:
    """Walk to a state by the shortest way."""
    if state is S.FAILED:
        path = [K.HELLO, K.BOOTSTRAP_BUNDLE, K.FAILED]
    else:
        kinds = [kind for kind, _ in ORDINARY_LIFE]
        path = kinds[: [S.EXPECTED, *(after for _, after in ORDINARY_LIFE)].index(state)]
    session = ControlPlaneSession("w")
    for kind in path:
        session.advance(kind)
    assert session.state is state
    return session


def test_an_ordinary_session_goes_from_expected_to_stopped() -> None:
    """The way from expected to stopped is the one of the design."""
    session = ControlPlaneSession("w")
    for kind, after in ORDINARY_LIFE:
        assert session.advance(kind) is after


@pytest.mark.parametrize(("state", "kind"), list(itertools.product(SessionState, MessageKind)))
def test_every_message_in_every_state_has_one_outcome(
    state: SessionState, kind: MessageKind
) -> None:
    """A message moves the session as its table says, or raises its code and moves nothing."""
    session = session_in(state)
    expected = next_state(state, kind)
    if isinstance(expected, SessionState):
        assert session.advance(kind) is expected is TRANSITIONS[state][kind]
        return
    with pytest.raises(ControlProtocolError) as caught:
        session.advance(kind)
    fault = caught.value
    assert (fault.code, fault.state, fault.message_kind, fault.worker_id) == (
        expected,
        state,
        kind,
        "w",
    )
    assert session.state is state


def test_every_code_has_a_case() -> None:
    """No protocol code is dead: the table, or the rule of first messages, gives each."""
    given_by_table = {next_state(s, k) for s, k in itertools.product(S, K)}
    assert set(C) - given_by_table == {C.MESSAGE_BEFORE_HELLO}


@given(st.lists(st.sampled_from(MessageKind), max_size=40))
def test_no_sequence_leaves_the_table_or_skips_a_gate(kinds: list[MessageKind]) -> None:
    """Whatever comes, work starts only behind hello, bundle, ack and ready; stopped is final."""
    session = ControlPlaneSession("w")
    accepted: list[MessageKind] = []
    for kind in kinds:
        before = session.state
        try:
            session.advance(kind)
        except ControlProtocolError:
            assert session.state is before
        else:
            accepted.append(kind)
        if before is S.STOPPED:
            assert session.state is S.STOPPED
    if K.START_WORK in accepted:
        before_work = accepted[: accepted.index(K.START_WORK)]
        gates = [K.HELLO, K.BOOTSTRAP_BUNDLE, K.BUNDLE_ACK, K.READY]
        assert [kind for kind in before_work if kind in gates] == gates
    for kind in (K.HELLO, K.BOOTSTRAP_BUNDLE, K.START_WORK, K.FAILED):
        assert accepted.count(kind) <= 1


@pytest.mark.contract("P5PRE-CTRL-02")
@pytest.mark.parametrize("state", [s for s in S if s not in (S.EXPECTED, S.GREETED)])
def test_a_duplicate_bootstrap_is_a_protocol_error_in_every_state(state: SessionState) -> None:
    """Behind the first bundle there is no second one, and its code tells so until the end."""
    ended = {S.STOPPED: C.AFTER_STOPPED, S.FAILED: C.AFTER_FAILED}
    expected = ended.get(state, C.DUPLICATE_BOOTSTRAP)
    assert next_state(state, K.BOOTSTRAP_BUNDLE) is expected


@pytest.mark.parametrize(
    ("state", "kind", "code"),
    [
        (S.EXPECTED, K.READY, C.READY_BEFORE_BOOTSTRAP),
        (S.GREETED, K.READY, C.READY_BEFORE_BOOTSTRAP),
        (S.BOOTSTRAPPED, K.READY, C.READY_BEFORE_BOOTSTRAP),
        (S.READY, K.READY, C.DUPLICATE_READY),
        (S.ACKED, K.START_WORK, C.START_BEFORE_READY),
        (S.WORKING, K.START_WORK, C.DUPLICATE_START),
        (S.STOPPING, K.START_WORK, C.START_AFTER_STOP),
        (S.READY, K.DRAINED, C.DRAINED_BEFORE_START),
        (S.WORKING, K.STOP_ACK, C.ACK_WITHOUT_STOP),
        (S.WORKING, K.HELLO, C.DUPLICATE_HELLO),
        (S.STOPPED, K.HEARTBEAT, C.AFTER_STOPPED),
        (S.FAILED, K.PEER_REPLACED, C.AFTER_FAILED),
    ],
)
def test_a_breach_of_the_order_has_its_stable_code(
    state: SessionState, kind: MessageKind, code: ProtocolCode
) -> None:
    """Logs and users rely on these codes."""
    assert next_state(state, kind) is code


@pytest.mark.parametrize("state", [s for s in S if s not in (S.EXPECTED, S.GREETED)])
def test_stop_is_legal_as_soon_as_there_is_a_session(state: SessionState) -> None:
    """The ladder may ask at any time behind the bundle, and ask again."""
    assert isinstance(next_state(state, K.STOP), SessionState)
