# SPDX-License-Identifier: MIT
"""The prompt of a backend that says something by itself meanwhile."""

import pytest
from mpremote import transport_serial
from mpremote.transport import TransportError

from trapless.backend import Backend, BackendError

BETWEEN = "could not enter raw repl"


class Prompt:
    """mpremote's transport, to a prompt that behaves as `script` says: an answer, or what is raised."""

    def __init__(self, script):
        self.script = script
        self.serial = self
        self._socket = None

    def enter_raw_repl(self, soft_reset):
        if self.script[0] == "dead":
            raise TransportError(BETWEEN)

    def exec_raw(self, code, timeout):
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step.encode(), b""

    def exit_raw_repl(self):
        pass

    def read_until(self, *args, **options):
        pass


@pytest.fixture
def said(monkeypatch):
    """Return a function that has the backend's prompt behave, and returns what `exec` does then."""

    def run(*script):
        prompt = Prompt(list(script))
        monkeypatch.setattr(transport_serial, "SerialTransport", lambda url: prompt)
        return Backend("socket://nowhere:1").exec("code"), prompt.script

    return run


@pytest.mark.parametrize("text", [BETWEEN, "unexpected read during raw paste: b't'"])
def test_a_line_of_the_backend_s_own_between_the_prompt_s_words_is_no_failure(said, text):
    assert said(TransportError(text), "42") == ("42", [])


def test_a_backend_that_never_lets_the_prompt_speak(said):
    with pytest.raises(BackendError, match=BETWEEN):
        said(TransportError(BETWEEN), TransportError(BETWEEN), "42")


def test_what_may_have_run_is_not_run_again(said):
    with pytest.raises(BackendError, match="first EOF"):
        said(TransportError("timeout waiting for first EOF reception"), "42")


def test_a_prompt_that_is_not_there_is_asked_once(said):
    with pytest.raises(BackendError, match=BETWEEN):
        said("dead", "42")
