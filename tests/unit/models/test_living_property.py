# SPDX-License-Identifier: MIT
"""The living system on chip under any session: everything stays in range, and energy is the integral of power."""

from hypothesis import given, settings
from hypothesis import strategies as st

from models import living
from unit.models.living_model import Life

ACTION = st.one_of(
    st.tuples(st.just("load"), st.sampled_from(("cpu", "gpu")), st.integers(0, 100)),
    st.tuples(st.just("ambient"), st.integers(-40, 80)),
    st.tuples(st.just("plug"), st.booleans()),
    st.tuples(st.just("level"), st.sampled_from(("cpu", "gpu")), st.integers(0, 3)),
    st.tuples(st.just("cap"), st.integers(0, 26)),
    st.tuples(st.just("hold"), st.sampled_from((None, -40_000, living.HOT, living.CRITICAL))),
)


def act(life, action):
    """Do what a person does at the prompt."""
    what, *details = action
    if what == "level":
        domain = life.soc.performance[details[0]]
        allowed = [row[0] for row in domain.levels if domain.limits[0] <= row[0] <= domain.limits[1]]
        domain.level = allowed[min(details[1], len(allowed) - 1)]
    elif what == "cap":
        life.soc.power_caps["package"].cap = details[0] and 1_500_000 + (details[0] - 1) * 250_000
    elif what == "hold":
        life.soc.sensors["cpu"].value = details[0]
    else:
        getattr(life.living, what)(*details)


@settings(max_examples=40)
@given(st.lists(st.tuples(ACTION, st.integers(1, 40)), max_size=25))
def test_everything_stays_in_range(session):
    life = Life()
    energy = 0
    for action, steps in session:
        act(life, action)
        for _ in range(steps):
            energy += life.soc.sensors["package"].value * living.STEP_MS
            life.steps(1)
            check(life)
    assert life.living.energy == energy


def check(life):
    """Hold everything against its range."""
    for sensor in life.soc.sensors:
        lowest, highest = sensor.limits or (-40_000, 1 << 40)
        assert lowest <= sensor.value <= highest, sensor
    for processor in life.living.processors:
        low, high = processor.domain.limits
        assert low <= processor.domain.level <= high
        assert processor.clock.rate == processor.domain.levels[processor.domain.index - 1][3] * 1000
    assert living.EMPTY_UV <= life.soc.sensors["battery-voltage"].value <= living.FULL_UV
    assert not any(agent.failures for agent in life.soc.agents)
