# SPDX-License-Identifier: MIT
"""The ivshmem server of one link: hands both QEMUs the eventfds that are their doorbells.

Follows QEMU's docs/specs/ivshmem-spec.txt, "Client-Server protocol", version 0. Differences from the server in QEMU's
tree, both on purpose: every peer has its own Unix socket, so that its id does not depend on who comes first; and the
eventfds live as long as the server: a peer that was killed and started again finds the same doorbells and nobody need
be told.
A doorbell rung while the peer is away waits in its eventfd; receivers treat doorbells as levels, so that is harmless.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import struct
import threading
from collections.abc import Sequence
from pathlib import Path

_VERSION = 0
_SHARED_MEMORY = -1
# The protocol wants some shared memory on the function. Ours lies elsewhere (ordinary RAM), so this page stays unused.
_UNUSED_MEMORY = 4096


def socket_path(directory: Path, link: str, peer: int) -> Path:
    """Return where the server of a link listens for one peer."""
    return directory / f"doorbell-{link}-{peer}.sock"


class Server:
    """Serves one link until closed.

    Args:
        directory: where the sockets are made.
        name: the link's name.
        peers: the ids that exist.
        vectors: doorbells per peer.

    Raises:
        OSError: a socket cannot be made.
    """

    def __init__(self, directory: Path, name: str, peers: Sequence[int], vectors: int) -> None:
        self.paths = {peer: socket_path(directory, name, peer) for peer in peers}
        self._doorbells = {peer: [os.eventfd(0, os.EFD_CLOEXEC) for _ in range(vectors)] for peer in peers}
        self._memory = os.memfd_create("ivshmem-unused", os.MFD_CLOEXEC)
        os.ftruncate(self._memory, _UNUSED_MEMORY)
        self._selector = selectors.DefaultSelector()
        self._stop_read, self._stop_write = os.pipe2(os.O_CLOEXEC)
        self._selector.register(self._stop_read, selectors.EVENT_READ, None)
        for peer, path in self.paths.items():
            self._listen(peer, path)
        self._thread = threading.Thread(target=self._serve, name=f"ivshmem {name}", daemon=True)
        self._thread.start()

    def _listen(self, peer: int, path: Path) -> None:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen()
        self._selector.register(listener, selectors.EVENT_READ, peer)

    def ring(self, peer: int, vector: int = 0) -> None:
        """Ring a peer's doorbell from the host: a spurious interrupt, for tests."""
        os.eventfd_write(self._doorbells[peer][vector], 1)

    def close(self) -> None:
        """Stop serving; sockets and eventfds go away, connected peers keep their own duplicates."""
        os.write(self._stop_write, b"x")
        self._thread.join()

    def _serve(self) -> None:
        # Python runs a handler in the main thread whichever thread got the signal; that one decides when it may.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            for key, _ in self._selector.select():
                if key.fd == self._stop_read:
                    return self._release()
                if not isinstance(key.fileobj, socket.socket):
                    continue
                if key.data is None:
                    self._from_peer(key.fileobj)
                else:
                    self._accept(key.fileobj, key.data)

    def _accept(self, listener: socket.socket, peer: int) -> None:
        connection, _ = listener.accept()
        try:
            self._introduce(connection, peer)
        except OSError:
            connection.close()  # it died while connecting; its successor will come to the same socket
            return
        self._selector.register(connection, selectors.EVENT_READ, None)

    def _introduce(self, connection: socket.socket, peer: int) -> None:
        _send(connection, _VERSION)
        _send(connection, peer)
        _send(connection, _SHARED_MEMORY, self._memory)
        for other in sorted(self._doorbells, key=lambda other: other == peer):
            for doorbell in self._doorbells[other]:
                _send(connection, other, doorbell)

    def _from_peer(self, connection: socket.socket) -> None:
        """Peers never send; readable means gone."""
        try:
            gone = not connection.recv(8)
        except OSError:
            gone = True
        if gone:
            self._selector.unregister(connection)
            connection.close()

    def _release(self) -> None:
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()
        for path in self.paths.values():
            path.unlink(missing_ok=True)
        doorbells = [doorbell for row in self._doorbells.values() for doorbell in row]
        for descriptor in (*doorbells, self._memory, self._stop_read, self._stop_write):
            os.close(descriptor)


def _send(connection: socket.socket, number: int, descriptor: int | None = None) -> None:
    """Send one 64-bit little-endian number, with a file descriptor if there is one."""
    socket.send_fds(connection, [struct.pack("<q", number)], [] if descriptor is None else [descriptor])
