"""Revisions: which of two values published under one key is the newer.

    revision = generation * 2^40 + offset of the newest message that led to the value

Within a generation the offset decides: equal when a message is answered again, higher for a later one. What the pathway
publishes has more than that where an older message comes again and leads to another value (decision 0026). A rebuild,
whose offsets begin anew, raises the generation, so everything it says is newer than all before. Both fit a JSON number
that every reader keeps exactly (below 2^53, RFC 8259 section 6): 8,192 generations, and a million million messages in
each partition.
"""

OFFSET_BITS = 40
GENERATION_MAX = 2**13 - 1


def revision_of(generation: int, offset: int) -> int:
    """The revision of what the message at `offset` led to.

    >>> revision_of(0, 7), revision_of(1, 0) > revision_of(0, 2**40 - 1), revision_of(GENERATION_MAX, 2**40 - 1) < 2**53
    (7, True, True)
    """
    return (generation << OFFSET_BITS) | offset


def generation_of(revision: int) -> int:
    """The generation that a revision is of.

    >>> generation_of(revision_of(3, 41)), generation_of(10**18) > GENERATION_MAX
    (3, True)
    """
    return revision >> OFFSET_BITS
