# SPDX-License-Identifier: MIT
"""The ivshmem server as a QEMU sees it (docs/specs/ivshmem-spec.txt, client-server protocol)."""

import os
import select
import socket
import struct

import pytest

from trapless.ivshmem import Server, socket_path

BACKEND, FRONTEND = 0, 1


class Peer:
    """What QEMU does when it starts: reads version, id, memory and everybody's eventfds."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(5)
        self.socket.connect(str(path))
        self.version, self.id = self.receive()[0], self.receive()[0]
        self.memory = self.receive()
        self.doorbells = dict(self.receive() for _ in (BACKEND, FRONTEND))

    def receive(self):
        data, fds, _, _ = socket.recv_fds(self.socket, 8, 1)
        return struct.unpack("<q", data)[0], fds[0] if fds else None

    def heard(self):
        """Take the news from the own doorbell; 0 if there is none."""
        own = self.doorbells[self.id]
        return os.eventfd_read(own) if select.select([own], [], [], 0)[0] else 0

    def ring(self, peer):
        os.eventfd_write(self.doorbells[peer], 1)

    def close(self):
        self.socket.close()
        for descriptor in (self.memory[1], *self.doorbells.values()):
            os.close(descriptor)


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path, "link", (BACKEND, FRONTEND), 1)
    yield made
    made.close()


def test_introduction(server):
    peer = Peer(server.paths[FRONTEND])
    assert (peer.version, peer.id, peer.memory[0]) == (0, FRONTEND, -1)
    assert list(peer.doorbells) == [BACKEND, FRONTEND], "the own doorbell comes last, as QEMU's server does it"
    peer.close()


def test_ids_do_not_depend_on_who_comes_first(server):
    second, first = Peer(server.paths[FRONTEND]), Peer(server.paths[BACKEND])
    assert (first.id, second.id) == (BACKEND, FRONTEND)
    first.close()
    second.close()


def test_rings_both_ways(server):
    backend, frontend = Peer(server.paths[BACKEND]), Peer(server.paths[FRONTEND])
    frontend.ring(BACKEND)
    assert (backend.heard(), frontend.heard()) == (1, 0)
    backend.ring(FRONTEND)
    assert (backend.heard(), frontend.heard()) == (0, 1)
    server.ring(FRONTEND)
    assert frontend.heard() == 1
    backend.close()
    frontend.close()


def test_a_restarted_peer_finds_its_doorbells(server):
    backend, frontend = Peer(server.paths[BACKEND]), Peer(server.paths[FRONTEND])
    backend.close()
    frontend.ring(BACKEND)
    again = Peer(server.paths[BACKEND])
    assert again.heard() == 1, "rung while away: waits"
    again.ring(FRONTEND)
    assert frontend.heard() == 1
    again.close()
    frontend.close()


def test_a_peer_that_hangs_up_at_once_disturbs_nobody(server):
    for _ in range(20):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as hasty:
            hasty.connect(str(server.paths[BACKEND]))
    peer = Peer(server.paths[BACKEND])
    assert peer.id == BACKEND
    peer.close()


def test_nothing_is_left_behind(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    server = Server(tmp_path, "link", (BACKEND, FRONTEND), 2)
    assert socket_path(tmp_path, "link", BACKEND).exists()
    server.close()
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == before
