# SPDX-License-Identifier: MIT
"""What the oracles of all protocols share: messages 0, 2 and 0x10, statuses, pages. Source: DEN0056F, 3.1.

A protocol's oracle knows its resources of `scmi_example` by heart and follows what the agents do to them.
"""

NOT_SUPPORTED, INVALID_PARAMETERS, DENIED, NOT_FOUND, OUT_OF_RANGE = -1, -2, -3, -4, -5
BUSY, PROTOCOL_ERROR, IN_USE = -6, -10, -11
AGENTS = (1, 2)
MOST_OPEN, MOST_BEGUN = 8, 32


def words(value):
    """Return a 64-bit number as two words."""
    return [value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF]


def text_words(text, size):
    """Return a byte string as the words of a field of `size` bytes."""
    text += bytes(size - len(text))
    return [int.from_bytes(text[at : at + 4], "little") for at in range(0, size, 4)]


def nearest(values, wanted, up, closest):
    """Return the supported value for `wanted`, or None."""
    if closest:
        return min(values, key=lambda value: (abs(value - wanted), value))
    candidates = [value for value in values if (value >= wanted if up else value <= wanted)]
    return (min(candidates) if up else max(candidates)) if candidates else None


def records(sizes):
    """Return records of these sizes in bytes: their number, then words that may be anything."""
    return [[number] + [None] * (size // 4 - 1) for number, size in enumerate(sizes)]


def page(records, first, room, past_end, shift):
    """Return a list reply, or a status. Records are lists of words."""
    if first >= len(records) and (first or records):
        return past_end
    taken, used = 0, 12
    while first + taken < len(records) and used + 4 * len(records[first + taken]) <= room:
        used += 4 * len(records[first + taken])
        taken += 1
    if records and not taken:
        return PROTOCOL_ERROR
    payload = [len(records) - first - taken << shift | taken]
    for record in records[first : first + taken]:
        payload += record
    return payload


class Part:
    """The oracle of one protocol.

    `message_<id>(agent, request, room)` returns the payload words of a reply, of which None may be any, or a status;
    form, resource and permissions have been found sound. `restore(number, agent)` forgets what `agent` has set of a
    resource; with None it sets up what the description says.
    """

    ID = NAME = None
    VERSIONS = ()  # newest first
    COUNT = 0  # resources that messages name
    SOC, EXTRA = (), ()  # those that belong to the devices "soc" and "extra"
    SINCE = {}  # message: first version that has it, where that is not the oldest
    FLAGS = {}  # message: (word of the flags, bits that may be set)
    NO_RESOURCE = (0, 1, 2, 0x10)  # messages that name none
    SECOND_WORD = ()  # messages that have its id in the second word
    FORBIDDEN = {}  # message: resources on which frontends may not use it

    def __init__(self, oracle):
        self.oracle = oracle
        for number in range(self.COUNT):
            self.restore(number, None)

    def restore(self, number, agent):
        """There is nothing to restore."""

    def more(self, message, request, length):
        """Return the bytes that a request of `length` bytes must have besides those of its structure."""
        return 0

    def forget(self, agent, permissions):
        """There is nothing that an agent controls alone or is refused."""

    def note(self, agent, number):
        """Remember that `agent` has changed a resource."""
        self.oracle.changed[agent].add((self.ID, number))

    def later(self, agent):
        """Return the answer to a sound request of `agent` for a delayed response; no time passes, so none comes, and
        what earlier lives have begun is never done."""
        if self.oracle.open[agent] == MOST_OPEN or self.oracle.begun[agent] == MOST_BEGUN:
            return BUSY
        self.oracle.open[agent] += 1
        self.oracle.begun[agent] += 1
        return []

    def version(self, agent):
        """Return the version that `agent` uses."""
        return self.oracle.versions[agent][self.ID]

    def layout(self, message, version):
        """Return the name of the message's structures, without `_request`, or None if `version` has no such message."""
        name = "{}_{}".format(self.NAME, message)
        known = name + "_request" in self.oracle.sizes and self.SINCE.get(message, 0) <= version
        return name if known else None

    def flags_of(self, message, version):
        """Return (word of the flags, bits that may be set) of a message in `version`; (0, 0): it has none."""
        return self.FLAGS.get(message, (0, 0))

    def least(self, message, version):
        """Return the bytes that a message's reply has besides its structure."""
        return 0

    def size(self, name):
        """Return the bytes of a structure of this protocol."""
        return self.oracle.sizes["{}_{}".format(self.NAME, name)]

    def message_0(self, agent, request, room):
        return [self.version(agent)]

    def message_2(self, agent, request, room):
        message = request[1]
        return [0] if message <= 0xFF and self.layout(message, self.version(agent)) else NOT_FOUND

    def message_16(self, agent, request, room):
        if request[1] not in self.VERSIONS:
            return NOT_SUPPORTED
        self.oracle.versions[agent][self.ID] = request[1]
        return []

    def resource(self, source):
        """Return the id of a resource that exists."""
        return source.below(self.COUNT or 9)

    def array(self, source, message):
        """Return the bytes of what repeats at the end of the next request."""
        return 0

    def draw(self, source, message, words):
        """Put payload words that mean something to a message into `words`, which has anything in it."""

    def flags(self, source, message):
        """Return flags that a message may have."""
        allowed = self.FLAGS[message][1]
        return (source.below(1 << 16) << 16 | source.below(1 << 16)) & allowed if source.below(2) else allowed & 1
