# SPDX-License-Identifier: MIT
"""The composition root: from the backend's device tree to a serving loop. Returns at once; serving is interrupt driven.

Nothing that goes wrong here takes the prompt away. Without links, or with a platform model that cannot be used, a
message says what to do and no page is published: the frontends see no backend, rather than half of one.
"""

import gc
import sys

import app
from hal.compat import const
from scmi.device import ScmiDevice
from scmi.platform import DescriptionError, Platform
from virtio.link import Link, leave
from virtio.loop import Loop
from virtio.rng import Rng

# Bytes allocated between two collections while a machine is set up.
_SETUP_GARBAGE = const(256 * 1024)

_NO_MODEL = "the device tree names no model for it: add trapless,model to its node"


def load_platform(model, machine):
    """Return the Platform of the module called `model`: its `platform`, or what its `build(machine)` returns."""
    module = __import__(model, None, None, ("platform",))
    platform = module.build(machine) if hasattr(module, "build") else getattr(module, "platform", None)
    if not isinstance(platform, Platform):
        raise DescriptionError(f"model {model!r} has neither a `platform` nor a `build(machine)` that makes one")
    return platform


# What serves a node whose `trapless,device` has this value, made by a function of the Composer and the node's model.
KINDS = {
    "scmi": lambda composer, model: ScmiDevice(composer.agent(model)),
    "rng": lambda composer, model: Rng(),
}


class Composer:
    """Makes devices from the nodes of the device tree of `machine`; `served` is filled on the way."""

    def __init__(self, machine, served, load=load_platform):
        self._machine = machine
        self._served = served
        self._load = load
        self._next_agent = {}

    def device(self, kind, model):
        """Return the device for a node of `kind` with `model` (text or None)."""
        if kind not in KINDS:
            raise DescriptionError(f"devices of kind {kind!r} are not known; known are: {', '.join(sorted(KINDS))}")
        return KINDS[kind](self, model)

    def agent(self, model):
        """Return the next agent of `model`: its agents belong to its SCMI devices in the order of the device tree."""
        if not model:
            raise DescriptionError(_NO_MODEL)
        platforms = self._served.platforms
        if model not in platforms:
            platforms[model] = self._load(model, self._machine)
        number = self._next_agent.get(model, 0)
        self._next_agent[model] = number + 1
        return platforms[model].agent(number)

    def link(self, description):
        """Return the Link for `description` with all its devices."""
        link = Link(description, self._machine)
        for kind, device_page, driver_page, model, _ in description.devices:
            try:
                device = self.device(kind, model)
            except Exception as error:
                raise Refused(f"link {description.name!r}, device {kind!r}", error) from error
            self._served.kinds[device] = kind
            link.add(device, device_page, driver_page)
        return link


class Refused(Exception):
    """A device that cannot be served: `where` it stands, the `error` that says why."""

    def __init__(self, where, error):
        super().__init__(where)
        self.where = where
        self.error = error


def compose(machine, served, load=load_platform):
    """Return a Loop over everything that `machine` (see `hal`) has, not started; Refused if a device cannot be made.

    Whatever is raised, no frontend sees a backend then, not even that of the life before.
    """
    composer = Composer(machine, served, load)
    loop = Loop(machine)
    descriptions = list(machine.links())
    try:
        for description in descriptions:
            served.links.append(loop.add(composer.link(description)))
    except Exception:
        for description in descriptions:
            leave(description)
        raise
    return loop


def start(machine, namespace, load=load_platform):
    """Serve what `machine` has, and put the prompt's names into `namespace`; return what is served."""
    served = app.Served()
    try:
        loop = compose(machine, served, load)
        for platform in served.platforms.values():
            platform.connect(loop.after)
        if served.links:
            loop.start()
        else:
            print("trapless: no link in the device tree (trapless,backend): nothing is served, this is just a prompt.")
    except Refused as refused:
        _explain(refused)
        served = app.Served()
    app.install(served, namespace)
    return served


def _explain(refused):
    print(f"trapless: {refused.where} cannot be served: {refused.error}")
    if not isinstance(refused.error, DescriptionError):
        _print_exception(refused.error)
    print("trapless: no frontend sees this backend. Correct the model or the device tree and start again (Ctrl-D).")


def _print_exception(error):
    if hasattr(sys, "print_exception"):
        sys.print_exception(error)
    else:
        import traceback

        traceback.print_exception(error)


def main():
    """Serve on the machine that this runs on."""
    import __main__
    from hal import metal

    try:
        # Most of what a description allocates is garbage at once. Collected late, it would lie between all that stays.
        gc.threshold(_SETUP_GARBAGE)
        start(metal, __main__)
        gc.collect()  # what setting up leaves behind is not collected in the middle of a request
        gc.threshold(-1)
    except Exception as error:
        print("trapless: the machine cannot be set up; nothing is served, this is just a prompt.")
        _print_exception(error)


if __name__ == "__main__":
    main()
