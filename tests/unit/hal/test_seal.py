# SPDX-License-Identifier: MIT
"""seal(): an object that takes no further attributes."""

from support import MICROPYTHON, raises, without_allocation
from unit.hal.twins import TWINS

# MicroPython asks no class for __setattr__, so that the pure twin cannot do it there.
(twin,) = TWINS[1:] if MICROPYTHON else TWINS


class Base:
    def __init__(self):
        self.plain = 1
        self._held = 2


class Thing(Base):
    shared = 5

    @property
    def held(self):
        return self._held

    @held.setter
    def held(self, value):
        self._held = value

    def grow(self):
        self.grown = 1


class Other(Base):
    pass


def refuse(thing, name):
    raise AttributeError("no {} in {}".format(name, type(thing).__name__))


def sealed(cls=Thing):
    thing = cls()
    twin.seal(thing, refuse)
    return thing


def test_a_new_attribute_is_refused_and_not_kept():
    for cls in (Thing, Other):
        thing = sealed(cls)
        error = raises(AttributeError, setattr, thing, "vaule", 5)
        assert "no vaule in " + cls.__name__ in str(error)
        assert not hasattr(thing, "vaule")


def test_what_it_has_can_be_set():
    thing = sealed()
    thing.plain, thing.held, thing._held = 10, 20, 30
    assert (thing.plain, thing.held) == (10, 30)


def test_a_method_and_a_class_attribute_cannot_be_hidden():
    thing = sealed()
    for name in ("grow", "shared"):
        raises(AttributeError, setattr, thing, name, 1)
    assert thing.shared == 5 and callable(thing.grow)


def test_what_is_accepted_is_kept():
    thing = Thing()
    twin.seal(thing, lambda thing, name: name == "shared")
    thing.shared = 6
    thing.more = 1
    assert thing.shared == 6 and not hasattr(thing, "more")
    thing.shared = 7
    assert (thing.shared, Thing.shared) == (7, 5)


def test_a_method_of_its_own_cannot_add_either():
    raises(AttributeError, sealed().grow)


def test_objects_that_were_not_sealed_are_as_before():
    sealed()
    thing = Thing()
    thing.grow()
    thing.more = 1
    assert (thing.grown, thing.more) == (1, 1)


def test_a_property_may_add_what_is_accepted():
    class Holder(Base):
        _more = None

        @property
        def more(self):
            return self._more

        @more.setter
        def more(self, value):
            self._more = value

    seen = []
    thing = Holder()
    twin.seal(thing, lambda thing, name: seen.append(name) or name == "_more")
    thing.more = 7
    assert (thing.more, thing._more, Holder._more, seen) == (7, 7, None, ["_more"])
    assert "more" not in thing.__dict__
    thing.more = 8
    assert thing.more == 8


def test_sealing_twice_takes_the_last_function():
    thing = sealed()
    seen = []
    twin.seal(thing, lambda thing, name: seen.append(name))
    thing.more = 1
    assert seen == ["more"] and not hasattr(thing, "more")


def test_what_cannot_be_sealed():
    for what in (1, "text", [], None):
        raises(TypeError, twin.seal, what, refuse)
    raises(TypeError, twin.seal, Thing(), 5)


def test_stores_allocate_nothing():
    thing = sealed()

    def store():
        thing.plain = 3
        thing.held = 4

    store()
    without_allocation(store)
