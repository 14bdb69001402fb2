# SPDX-License-Identifier: MIT
"""What is done in the frontend meanwhile: what the driver shows is read, it is taken from its devices, and removed.

Each step has a limit, which no backend may make it miss.
"""

from e2e import recovery
from e2e.places import counting

LONGEST = 45  # seconds that a step may take: some round trips of up to 5 s each, and SCMI's time-outs of 1 s each
DEBUG = "/sys/kernel/debug/trapless"
TIMEOUTS = counting("timeouts")
LINK = "/sys/bus/platform/drivers/trapless-virtio"
VIRTIO = "/sys/bus/virtio/drivers"
SPACE = f"{VIRTIO}/trapless_space"

# Two processes, READERS and TAKERS. Steps are noted with the time at which they began: "NAME SECONDS". A removal ends a
# link's counters: they are noted before. What comes after that is one time-out at most: it breaks the link, which
# nobody mends any more.
SCRIPT = f"""
now() {{ read -r now rest < /proc/uptime; now=${{now%.*}}; }}
step() {{
    now; began=$now
    echo "$1 $now" > /tmp/users.$who.step
    eval "$2" > /dev/null 2>&1
    now
    [ $((now - began)) -gt $slowest ] || return
    slowest=$((now - began))
    echo "$slowest s: $1" > /tmp/users.$who.slowest
}}
turns() {{
    who=$1 slowest=-1 turn=0
    while [ ! -e /tmp/users.stop ]; do
        eval "$2"
        turn=$((turn + 1))
        echo $turn > /tmp/users.$who.turns
    done
    echo over > /tmp/users.$who.step
}}
regions() {{
    cat {DEBUG}/*/*/shm 2> /dev/null | while read -r id at length; do
        [ $((length)) -gt 0 ] && [ $((at)) -ge $1 ] && [ $((at + length)) -le $2 ] ||
            echo "region $id at $at, $length" >> /tmp/users.wrong
        echo $id >> /tmp/users.regions
    done
}}
again() {{
    for one in $1/$2; do
        [ -e "$one" ] || continue
        echo ${{one##*/}} > $1/unbind
        echo ${{one##*/}} > $1/bind
    done
}}
removed() {{ {TIMEOUTS} >> /tmp/users.timeouts; }}
space() {{
    for one in {VIRTIO}/virtio_rng/virtio*; do [ ! -e $one ] || echo ${{one##*/}} > {VIRTIO}/virtio_rng/unbind; done
    insmod /host/trapless_space.ko
    for one in {SPACE}/virtio*; do
        [ -e $one ] || continue
        echo 3 > $one/read
        cat $one/heard $one/read $one/write
        echo "4 4 11223344" > $one/write
        echo $one >> /tmp/users.space
    done
    rmmod trapless_space
    for one in /sys/bus/virtio/devices/virtio*; do
        [ -e $one/driver ] || echo ${{one##*/}} > {VIRTIO}/virtio_rng/bind
    done
}}
readers() {{
    step stats "cat {DEBUG}/*/stats {DEBUG}/*/backend {DEBUG}/*/pool"
    step state "cat {DEBUG}/*/*/state {DEBUG}/*/*/waited"
    step shm "regions $1 $2"
    step hwmon "cat {recovery.HWMON}/*_input >> /tmp/users.hwmon"
    step scmi "cat /sys/bus/platform/drivers/arm-scmi/*/*_version /sys/bus/scmi_protocol/devices/*/uevent"
    step virtio "cat /sys/bus/virtio/devices/*/status /sys/bus/virtio/devices/*/features"
    step echo "echo 3 | tee {DEBUG}/*/echo; cat {DEBUG}/*/echo >> /tmp/users.echo"
    step rng "timeout -s KILL 1 head -c 16 /dev/hwrng"
}}
takers() {{
    step "the drivers of rng" "again {VIRTIO}/virtio_rng 'virtio*'"
    sleep 1
    step "the driver of SCMI" "again {VIRTIO}/scmi-virtio 'virtio*'"
    sleep 1
    step "another driver" space
    sleep 1
    step "the link" "removed; again {LINK} 'link@*'"
    sleep 1
    step "the module" "removed; rmmod trapless_virtio; insmod {recovery.MODULE} mend_max_ms=$1"
    sleep 4
}}
"""


class Users:
    """They in a frontend: `shm` is (its address, its size) there; `mend_max_ms` the module's parameter."""

    WHO = ("readers", "takers")

    def __init__(self, frontend, shm, mend_max_ms):
        self.frontend = frontend
        start, size = shm
        frontend.check("rm -f /tmp/users.*; echo 1 > /tmp/users.life")
        calls = (f"readers {start} {start + size}", f"takers {mend_max_ms}")
        started = " ".join(f"turns {who} '{call}' &" for who, call in zip(self.WHO, calls, strict=True))
        frontend.check(f"{SCRIPT} {{ {started} }} > /dev/null 2>&1")

    def look(self):
        """Fail if one of them was shown what cannot be, or waits for longer than it may."""
        assert self.read("life"), "Linux has restarted: a report of damage ended its life"
        assert self.read("wrong") == ""
        for who in self.WHO:
            # The first line alone: what is written anew while it is read leaves its end behind that.
            name, _, began = self.read(f"{who}.step").partition("\n")[0].rpartition(" ")
            now = float(self.frontend.check("cat /proc/uptime").split()[0])
            if name and now - int(began) > LONGEST * self.frontend.patience:
                raise AssertionError(f"{name}: for {now - int(began):.0f} s\n{self.where()}")

    def where(self):
        """Where all that wait are in the kernel."""
        return self.frontend.check("for one in /proc/[0-9]*; do cat $one/comm $one/stack; done 2> /dev/null || true")

    def read(self, name):
        return self.frontend.check(f"cat /tmp/users.{name} 2> /dev/null || true").strip()

    def turns(self):
        """How often each of them has done all that it does."""
        return [int(self.read(f"{who}.turns") or 0) for who in self.WHO]

    def satisfied(self):
        """Whether each of them has done all that it does at least once, and has seen all that there is."""
        return all(self.turns()) and all(self.seen().values())

    def slowest(self):
        """The longest step of each of them."""
        return [self.read(f"{who}.slowest") for who in self.WHO]

    def seen(self):
        """How often something was there to be read, and something removed."""
        names = ("regions", "echo", "hwmon", "space", "timeouts")
        return {name: len(self.read(name).splitlines()) for name in names}

    def stop(self):
        """Have them end; what they take away is bound and loaded then."""
        self.frontend.check("touch /tmp/users.stop")
        for who in self.WHO:
            self.frontend.wait_for(f"grep -qx over /tmp/users.{who}.step", LONGEST)
        self.look()

    def timeouts(self):
        """How many time-outs the driver has counted, in all lives of a link."""
        return sum(map(int, self.read("timeouts").split())) + int(self.frontend.check(TIMEOUTS))

    def removals(self):
        """How often a link was taken away."""
        return len(self.read("timeouts").splitlines())
