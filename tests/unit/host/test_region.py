# SPDX-License-Identifier: MIT
"""What a region's file tells: whose heart beats, what is given back of the pool."""

import struct
import threading

from trapless import region, topology


def frontend(folder, link):
    region.make(folder, link)
    return {"region": str(region.path(folder, link)), "hearts": region.hearts(link), "pool": region.pool(link)}


def test_a_heart_beats_if_its_word_changes(tmp_path):
    first, second = topology.load(topology.find("two-frontends")).links
    found = [frontend(tmp_path, link) for link in (first, second)]
    ended = threading.Event()

    def beat():
        count = 0
        with open(found[0]["region"], "r+b", buffering=0) as file:
            while not ended.wait(0.01):
                count += 1
                file.seek(found[0]["hearts"]["backend"])
                file.write(struct.pack("<I", count))

    closed = dict(found[0], region=str(tmp_path / "closed"))
    thread = threading.Thread(target=beat)
    thread.start()
    try:
        beats = region.beats([closed, *found])
    finally:
        ended.set()
        thread.join()
    assert beats == [{}, {"backend": True, "frontend": False}, {"backend": False, "frontend": False}]


def test_without_frontends_nothing_is_waited_for():
    assert region.beats([]) == []


def test_what_is_given_back_is_counted_in_blocks(tmp_path):
    (link,) = topology.load().links
    found = frontend(tmp_path, link)
    assert (found["pool"]["size"], region.given_back(found)) == (4 << 20, 0)
    with open(found["region"], "r+b") as file:
        file.seek(link.device_page(link.devices[0]) + 0x858)
        file.write(struct.pack("<I", 3))
    assert region.given_back(found) == 3 << 16
