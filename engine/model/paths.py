"""How a path a process named becomes the one the model keeps.

Owns joining and folding of paths (state-tracking §4). Symbolic links are not followed: a capture does not
tell them.
"""

import cython

if not cython.compiled:
    raise ImportError("engine.model.paths must be compiled: run `make build`")

TOO_LONG = b"/PATH_TOO_LONG"


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _fold(
    path: cython.pointer(cython.const[cython.uchar]),
    length: cython.int,
    out: cython.pointer(cython.uchar),
    used: cython.int,
) -> cython.int:
    """Append the components of a path to ``used`` bytes of out; the new length, -1 when it is too long."""
    at: cython.int = 0
    size: cython.int
    start: cython.int
    i: cython.int
    while at < length:
        if path[at] == b"/":
            at += 1
            continue
        start = at
        while at < length and path[at] != b"/":
            at += 1
        size = at - start
        if size == 1 and path[start] == b".":
            continue
        if size == 2 and path[start] == b"." and path[start + 1] == b".":
            while used > 0 and out[used - 1] != b"/":
                used -= 1
            if used > 1:
                used -= 1
            continue
        if used + 1 + size > LONGEST:
            return -1
        if used > 0 and out[used - 1] != b"/":
            out[used] = b"/"
            used += 1
        for i in range(size):
            out[used + i] = path[start + i]
        used += size
    return used


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def join(
    base: cython.pointer(cython.const[cython.uchar]),
    base_length: cython.int,
    path: cython.pointer(cython.const[cython.uchar]),
    path_length: cython.int,
    out: cython.pointer(cython.uchar),
) -> cython.int:
    """Write ``path`` as seen from ``base`` to out (LONGEST bytes); its length, -1 when it is too long.

    An absolute path replaces the base; ``.``, ``..``, double and trailing slashes are folded; ``..`` stays
    at the root.
    """
    used: cython.int = 0
    if path_length > 0 and path[0] == b"/":
        base_length = 0
        out[0] = b"/"
        used = 1
    elif base_length > 0 and base[0] == b"/":
        out[0] = b"/"
        used = 1
    used = _fold(base, base_length, out, used)
    if used >= 0:
        used = _fold(path, path_length, out, used)
    return used


def joined(base: bytes, path: bytes) -> bytes:
    """``path`` as seen from ``base``, folded; TOO_LONG beyond 4096 bytes."""
    out: cython.uchar[4096]
    used: cython.int = join(base, len(base), path, len(path), out)
    return TOO_LONG if used < 0 else bytes(out[:used])
