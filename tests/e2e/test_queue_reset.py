# SPDX-License-Identifier: MIT
"""Linux resets and resizes a queue while everything else goes on: docs/transport.md, 6.9.

No driver in Linux's tree does it on this transport, so one of ours has the entropy device
(`linux/tests/trapless_resize.c`), with packed and with split queues.
"""

import dataclasses
import time

import pytest

from e2e import consumer, on_xen, recovery
from e2e.places import counting
from trapless.topology import QUEUES

RNG = "/sys/bus/virtio/drivers/virtio_rng"
DRIVER = "/sys/bus/virtio/drivers/trapless_resize"
RING_RESET = 40
LARGEST = 64
CYCLES = 200
KILLS = 3
RECOVERIES = counting("recoveries")
PAUSED = "/sys/module/trapless_resize/parameters/paused"
ENDED = "/tmp/ended"
RESTARTS = counting("restarts")
LOOKS = counting("interrupts")

PREPARE = """
port = links["linux0"].ports[1]
held = []
def hold(request, length, reply, room):
    held.append(port.device.hold())
def hold_all():
    held.clear()
    port.device.answer_with(hold)
def return_silently(count):
    for chain in held[:count]:
        port.device.backend.handle(None, 0, port.device.reply, chain.room)
        chain.queue.push(chain.chain, chain.room, port.device.reply)
"""

# What becomes of a batch that writes a register of the queue.
SPOIL = """
slices = port.registers.slices
def spoiled(entries):
    entries = list(entries)
    if any(entry[0] == {register} for entry in entries):
        yield
        return {result}, 0
    return (yield from slices(entries))
port.registers.slices = spoiled
"""
MEND = "port.registers.slices = slices"
QUEUE_RESET, QUEUE_SIZE = 0x0C0, 0x038
OK, NEEDS_RESET, BAD_STATE = 1, 3, 9

OFFER = """
link = links["linux0"]
link.ports[1].registers.offered {change}(1 << 40)
link.publish()
link.doorbell.ring()
"""


@pytest.fixture(scope="module", params=QUEUES)
def layout(request):
    """packed, split."""
    return request.param


@pytest.fixture(scope="module")
def pair_options(pair_options, layout):
    """The pair of the command line, with queues of that layout and the driver."""
    return dataclasses.replace(consumer.equipped(pair_options, {}, "trapless_resize"), queues=layout)


@dataclasses.dataclass(frozen=True)
class Counts:
    """What the driver has counted since it was bound; see there."""

    size: int
    out: int
    returned: int
    recycled: int
    resets: int
    waiting: int
    wrong: int


class Resizer:
    """The driver in Linux."""

    def __init__(self, frontend):
        self.frontend = frontend

    def bind(self):
        """Have it drive the device, whoever did before."""
        self.frontend.wait_for(f"[ -e {RNG}/virtio* ] || [ -e {DRIVER}/virtio* ]")
        self.frontend.check(
            f"[ -e {DRIVER}/virtio* ] || {{ device=$(basename {RNG}/virtio*) && echo $device > {RNG}/unbind"
            f" && echo $device > {DRIVER}/bind; }}"
        )

    def unbind(self):
        """Have Linux's own driver drive the device again."""
        self.frontend.check(
            f"device=$(basename {DRIVER}/virtio*) && echo $device > {DRIVER}/unbind && echo $device > {RNG}/bind"
        )

    def counts(self):
        """The driver's Counts."""
        return Counts(*map(int, self.frontend.check(f"cat {DRIVER}/virtio*/counts").split()))

    def wait_for(self, **fields):
        """Wait until these of the Counts have these values; return all."""
        names = [field.name for field in dataclasses.fields(Counts)]
        pattern = " ".join(str(fields.get(name, "[0-9]*")) for name in names)
        self.frontend.wait_for(f"grep -q '^{pattern}$' {DRIVER}/virtio*/counts")
        return self.counts()

    def write(self, attribute, value=1):
        """Write an attribute of the device, which must succeed."""
        self.frontend.check(f"echo {value} > $(echo {DRIVER}/virtio*/{attribute})")

    def refused(self, attribute, value=1):
        """Write an attribute of the device, which must fail; returns what the shell says."""
        result = self.frontend.run(f"echo {value} > $(echo {DRIVER}/virtio*/{attribute})")
        assert result.status, f"{attribute} has taken {value}"
        return result.stderr.decode()

    def check_serves(self, count):
        """Fail if `count` buffers that are given now do not come back filled, each once."""
        before = self.counts()
        self.write("fill", count)
        after = self.wait_for(out=before.out, returned=before.returned + count)
        assert after.wrong == 0


@pytest.fixture(scope="module")
def prepared(pair):
    """The driver, in Linux but without the device."""
    pair.backend.exec(PREPARE)
    pair.frontend.check("insmod /host/trapless_resize.ko")
    return Resizer(pair.frontend)


@pytest.fixture
def resizer(pair, prepared):
    """The driver with the device, whose queue has all descriptors and is empty."""
    pair.wait_probed()
    prepared.bind()
    yield prepared
    prepared.bind()
    prepared.unbind()


@pytest.fixture
def holding(pair, resizer):
    """The same, and the backend holds what it is given."""
    pair.backend.exec("hold_all()")
    yield resizer
    pair.backend.exec("port.device.answer_with(None); held.clear()")


def wait_held(pair, until, count):
    until(lambda: pair.backend.eval("len(held)") == count, f"the backend has {count} buffers")


def test_the_feature_is_negotiated_for_every_device(frontend):
    bits = frontend.check(f"cut -c{RING_RESET + 1} /sys/devices/platform/link@*/*/virtio*/features").split()
    assert bits == ["1"] * 2


def test_a_queue_that_is_resized_serves_with_each_size(resizer, layout):
    assert resizer.counts().size == LARGEST
    resizer.check_serves(LARGEST)
    sizes = (16, 2, LARGEST, 32, 48 if layout == "packed" else 8, 3 if layout == "packed" else 4, LARGEST)
    for resets, size in enumerate(sizes, 1):
        resizer.write("resize", size)
        counts = resizer.counts()
        assert (counts.size, counts.resets, counts.out) == (size, resets, 0)
        for _ in range(3):
            resizer.check_serves(size)
    assert resizer.counts().recycled == 0


def test_a_queue_that_is_reset_with_its_size_serves_again(resizer):
    for resets in range(1, 4):
        resizer.write("reset")
        assert resizer.counts().resets == resets
        resizer.check_serves(LARGEST)


def test_sizes_that_a_queue_cannot_have_leave_it_as_it_is(resizer, layout):
    for size, why in ((2 * LARGEST, "Argument list too long"), (0, "Invalid argument")):
        assert why in resizer.refused("resize", size)
    if layout == "split":
        resizer.refused("resize", 24)
    assert resizer.counts().size == LARGEST
    resizer.check_serves(LARGEST)


@pytest.mark.parametrize("size", [8, 0])
def test_buffers_that_the_device_has_come_back_once(pair, holding, until, size):
    holding.write("fill", 6)
    wait_held(pair, until, 6)
    holding.write("resize" if size else "reset", size or 1)
    assert holding.counts() == Counts(size or LARGEST, 0, 0, 6, 1, 0, 0)
    assert pair.backend.eval("[chain.is_open() for chain in held]") == [False] * 6
    pair.backend.exec("for chain in held: chain.answer(chain.room)")
    pair.backend.exec("port.device.answer_with(None)")
    holding.check_serves(8)
    assert holding.counts().recycled == 6


@pytest.fixture
def waiting(pair, holding, until):
    """The driver in the middle of a reset of its queue: the backend had four buffers, of which one is back.

    How the write ends goes to ENDED.
    """
    frontend = holding.frontend
    holding.write("fill", 4)
    wait_held(pair, until, 4)
    pair.backend.exec("return_silently(2)")
    frontend.check(f"echo 1 > {PAUSED}; rm -f {ENDED}")
    frontend.check(f"{{ echo 16 > $(echo {DRIVER}/virtio*/resize); echo $? > {ENDED}; }} 2> /dev/null &")
    holding.wait_for(waiting=1)
    yield holding
    frontend.check(f"echo 0 > {PAUSED}")


def go_on(frontend):
    """Let the reset go on; returns the status of the write when it has ended."""
    frontend.check(f"echo 0 > {PAUSED}")
    frontend.wait_for(f"[ -s {ENDED} ]")
    return int(frontend.check(f"cat {ENDED}"))


def test_no_callback_runs_in_the_middle_of_a_reset(pair, waiting):
    """Two buffers were in the used ring, of which nobody had been told, when the queue was reset."""
    looks = int(waiting.frontend.check(LOOKS))
    pair.backend.exec("port.interrupt()")
    waiting.frontend.wait_for(f"[ $({LOOKS}) -gt {looks} ]")
    assert go_on(waiting.frontend) == 0
    assert waiting.counts() == Counts(16, 0, 0, 4, 1, 0, 0)
    pair.backend.exec("port.device.answer_with(None)")
    waiting.check_serves(16)


@on_xen.NO_RESTART
def test_a_backend_that_dies_in_the_middle_of_a_reset(pair, waiting):
    before = waiting.frontend.check(RESTARTS)
    pair.restart_backend()
    pair.backend.exec(PREPARE)
    waiting.frontend.wait_for(f"[ $({RESTARTS}) -gt {before} ]")
    assert go_on(waiting.frontend) != 0, "the queue is broken, and stays so"
    recovery.recovered(waiting.frontend, time.monotonic())
    waiting.bind()
    waiting.check_serves(LARGEST)


def test_a_device_that_is_removed_in_the_middle_of_a_reset(pair, waiting):
    frontend = waiting.frontend
    pair.backend.exec("port.device.answer_with(None)")
    frontend.check("rmmod trapless_virtio 2> /dev/null &")
    frontend.wait_for(f"[ ! -e {DRIVER}/virtio*/counts ]")
    go_on(frontend)
    frontend.wait_for("! grep -q '^trapless_virtio ' /proc/modules")
    frontend.check(f"insmod {recovery.MODULE}")
    recovery.recovered(frontend, time.monotonic())
    waiting.bind()
    waiting.check_serves(LARGEST)


AGAIN = "rmmod trapless_resize && insmod /host/trapless_resize.ko"
EARLY = "early=16"


@pytest.fixture
def early(request, resizer):
    """The driver, which is to resize the queue before DRIVER_OK, or what else is asked; it has no device yet."""
    resizer.unbind()
    resizer.frontend.check(f"{AGAIN} {getattr(request, 'param', EARLY)}")
    yield resizer
    resizer.bind()
    resizer.unbind()
    resizer.frontend.check(AGAIN)


def test_a_queue_is_resized_before_the_driver_is_ready(early):
    early.bind()
    assert (early.counts().size, early.counts().resets) == (16, 1)
    early.check_serves(16)


def test_a_reset_that_is_refused_before_the_driver_is_ready_takes_nothing_along(pair, early):
    pair.backend.exec(SPOIL.format(register=QUEUE_RESET, result=BAD_STATE))
    early.bind()
    pair.backend.exec(MEND)
    assert (early.counts().size, early.counts().resets) == (LARGEST, 0)
    early.check_serves(LARGEST)


@pytest.mark.parametrize(
    ("early", "size"), [("twice=1", LARGEST), (f"twice=1 {EARLY}", 16)], indirect=["early"], ids=["collected", "out"]
)
def test_a_queue_is_deleted_before_the_driver_is_ready_and_there_again(pair, early, size):
    """Whether the backend has heard of it or not; and the features that the driver chose before still hold."""
    early.bind()
    assert early.counts().size == size
    early.check_serves(size)
    assert pair.backend.exec("status()").count("vetoed 0") == 2


CYCLE = f"""
for turn in $(seq {CYCLES}); do
    cd {DRIVER}/virtio*
    echo $((2 << turn % 5)) > resize && echo $((turn % 3)) > fill || exit 1
    [ $((turn % 8)) -gt 0 ] || echo 1 > reset
done
"""


@pytest.mark.timeout(180)
def test_many_resets_leave_nothing_in_the_pool_while_another_device_is_used(pair, resizer):
    frontend = resizer.frontend
    pair.wait_probed()
    used = f"cat {recovery.slots(frontend)}"
    resizer.check_serves(LARGEST)
    before = int(frontend.check(used))
    recovery.load(frontend)
    frontend.check(CYCLE, 120)
    recovery.check_load(frontend, recovery.change(pair))
    recovery.unload(frontend)
    resizer.write("resize", LARGEST)
    counts = resizer.wait_for(out=0)
    assert counts.resets > CYCLES and counts.wrong == 0
    assert counts.returned + counts.recycled == LARGEST + sum(turn % 3 for turn in range(1, CYCLES + 1))
    frontend.wait_for(f"[ $({used}) -le {before} ]")
    resizer.check_serves(LARGEST)


@pytest.mark.parametrize("result", [BAD_STATE, NEEDS_RESET])
def test_a_reset_that_is_refused_hurts_no_more_than_it_must(pair, holding, until, result):
    """Buffers that came back meanwhile are seen; only a device that needs a reset is taken down."""
    holding.write("fill", 6)
    wait_held(pair, until, 6)
    pair.backend.exec(SPOIL.format(register=QUEUE_RESET, result=result))
    pair.backend.exec("return_silently(2)")
    holding.refused("resize", 16)
    pair.backend.exec(MEND)
    if result == BAD_STATE:
        assert holding.counts() == Counts(LARGEST, 4, 2, 0, 0, 0, 0)
        holding.write("resize", 16)
    else:
        holding.frontend.wait_for(f"[ -e {RNG}/virtio* ]")
        holding.bind()
    pair.backend.exec("port.device.answer_with(None)")
    holding.check_serves(16)


def test_a_reset_that_the_register_does_not_bear_out_is_not_believed(pair, resizer):
    """The backend says that the queue is reset, and has done nothing."""
    pair.backend.exec(SPOIL.format(register=QUEUE_RESET, result=OK))
    assert "Protocol error" in resizer.refused("resize", 16)
    pair.backend.exec(MEND)
    resizer.frontend.wait_for(f"[ -e {RNG}/virtio* ]")
    resizer.bind()
    resizer.check_serves(LARGEST)


def test_a_queue_that_is_not_taken_again_fails_until_the_device_is_reset(pair, resizer):
    pair.backend.exec(SPOIL.format(register=QUEUE_SIZE, result=BAD_STATE))
    assert "busy" in resizer.refused("resize", 16)
    pair.backend.exec(MEND)
    resizer.refused("fill")
    resizer.refused("reset")
    resizer.unbind()
    resizer.bind()
    resizer.check_serves(LARGEST)


@on_xen.NO_PAUSE
def test_a_reset_that_is_not_answered_fails_in_time_and_all_comes_back(pair, resizer):
    pair.backend_vm.pause()
    try:
        begin = time.monotonic()
        resizer.refused("resize", 16)
        assert time.monotonic() - begin < 10 * resizer.frontend.patience
    finally:
        pair.backend_vm.resume()
    recovery.recovered(resizer.frontend, time.monotonic())
    resizer.bind()
    resizer.check_serves(LARGEST)


# Whatever becomes of a write, the next one comes; each turn is counted.
GO_ON = f"""
rm -f /tmp/stop
{{
    turn=0
    while [ ! -e /tmp/stop ]; do
        for value in 16 64; do
            for file in {DRIVER}/virtio*/fill {DRIVER}/virtio*/resize; do echo $value > $file; done
        done
        turn=$((turn + 1))
        echo $turn > /tmp/turns.new && mv /tmp/turns.new /tmp/turns  # it is never seen empty
    done
}} > /dev/null 2>&1 &
"""
TURNS = "cat /tmp/turns"


@pytest.mark.timeout(180)
@on_xen.NO_RESTART
def test_a_backend_killed_in_the_middle_of_resets(pair, resizer):
    frontend = resizer.frontend
    frontend.check(GO_ON)
    try:
        for _ in range(KILLS):
            resizer.wait_for(wrong=0, resets="[1-9][0-9]")
            pair.restart_backend()
            pair.backend.exec(PREPARE)
            recovery.recovered(frontend, time.monotonic())
            turns = int(frontend.check(TURNS))
            frontend.wait_for(f"[ $({TURNS}) -gt {turns} ]")
            resizer.bind()
    finally:
        frontend.check("touch /tmp/stop")
    resizer.wait_for(out=0)
    resizer.write("resize", 32)
    resizer.check_serves(32)


def test_without_the_feature_there_is_no_reset(pair, resizer):
    frontend = resizer.frontend

    def begin(change):
        before = frontend.check(RECOVERIES)
        pair.backend.exec(OFFER.format(change=change))
        frontend.wait_for(f"[ $({RECOVERIES}) -gt {before} ]")
        resizer.bind()

    begin("&= ~")
    try:
        assert "No such file" in resizer.refused("resize", 16)
        resizer.check_serves(LARGEST)
    finally:
        begin("|=")
    resizer.write("resize", 16)
    resizer.check_serves(16)
