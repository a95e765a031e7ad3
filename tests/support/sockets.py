"""Which addresses a family of processes listens on, as Linux tells it."""

import re
from pathlib import Path

LISTEN = "0A"
LOOPBACK = re.compile(r"0100007F|0000000000000000FFFF00000100007F|00000000000000000000000001000000")


def family(pid: int) -> set[int]:
    """A process and everything it started."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    found, waiting = set(), [pid]
    while waiting:
        item = waiting.pop()
        found.add(item)
        waiting += parents.get(item, [])
    return found


def listening(pids: set[int]) -> list[tuple[str, int]]:
    """Local address (as in /proc/net/tcp, hexadecimal) and port of every socket they listen on."""
    inodes = {inode for pid in pids for inode in _sockets(pid)}
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN and fields[9] in inodes:
                address, _, port = fields[1].partition(":")
                found.append((address, int(port, 16)))
    return found


def _sockets(pid: int) -> set[str]:
    try:
        links = [str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return set()
    return {match[1] for link in links if (match := re.fullmatch(r"socket:\[(\d+)\]", link))}
