# SPDX-License-Identifier: MIT
"""The lives of two frontends as a state machine of hypothesis, which shrinks what fails to the steps that matter."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from fuzz import sessions

RUNS = max(int(os.environ.get("TRAPLESS_FUZZ_EXAMPLES", "10000")) // 1000, 20)
STEPS = 30

pytestmark = pytest.mark.fuzz


class Drawn:
    """A source (`fuzz._cases.Source`) whose choices are hypothesis's."""

    def __init__(self, data):
        self._data = data

    def below(self, n):
        return self._data.draw(st.integers(0, n - 1))

    def one_of(self, items):
        return items[self.below(len(items))]


class Sessions(RuleBasedStateMachine):
    """The actions of `sessions.Bench` in any order; at the end all that is still to come must come."""

    bench = None

    @initialize(data=st.data())
    def begin(self, data):
        self.bench = sessions.Bench(Drawn(data))

    @rule(data=st.data())
    def send(self, data):
        self.bench.send(Drawn(data))

    @rule(data=st.data())
    def give(self, data):
        self.bench.give(Drawn(data))

    @rule(data=st.data())
    def wait(self, data):
        self.bench.wait(Drawn(data))

    @rule(data=st.data())
    def change(self, data):
        self.bench.change(Drawn(data))

    @rule(data=st.data())
    def reset(self, data):
        self.bench.reset(Drawn(data))

    @rule(data=st.data())
    def restart(self, data):
        self.bench.restart(Drawn(data))

    def teardown(self):
        if self.bench:
            self.bench.settle()


def test_every_buffer_comes_back_whatever_two_frontends_do():
    health = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
    limits = settings(max_examples=RUNS, stateful_step_count=STEPS, suppress_health_check=health)
    run_state_machine_as_test(Sessions, settings=limits)


def test_it_notices_a_response_that_is_lost(monkeypatch):
    from scmi.events import Events

    monkeypatch.setattr(Events, "respond", lambda self, header, words: None)
    with pytest.raises(AssertionError, match="lost"):
        sessions.fuzz(1, 5000)


def test_it_notices_a_notification_that_nobody_wants(monkeypatch):
    from scmi.events import Events

    monkeypatch.setattr(Events, "subscribed", lambda self, protocol, event, resource: 1)
    with pytest.raises(AssertionError, match="subscribed"):
        sessions.fuzz(1, 5000)


def test_it_meets_every_kind_of_thing():
    met = sessions.fuzz(1, 5000)
    for what in ("SUCCESS", "DENIED", "unanswerable", "asynchronous", "delayed", "notifications", "resets", "restarts"):
        assert met[what], what
