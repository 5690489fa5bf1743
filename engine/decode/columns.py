"""The columns of the segment being filled: plain memory to write to, numpy arrays when sealed."""

import cython
import numpy as np
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t, uint16_t
from cython.cimports.libc.stdlib import free, realloc

from engine.store.segment import OTHER, SAMPLE, Segment

if not cython.compiled:
    raise ImportError("engine.decode.columns must be compiled: run `make build`")


@cython.cclass
class Columns:
    """Room for ``capacity`` events after the ``first`` of the capture."""

    def __init__(self, first: int64_t, capacity: cython.int) -> None:
        self.first = first
        self.capacity = capacity
        self._arrays = {}
        self.time = cython.cast(cython.pointer(int64_t), self._allocate("time", "i8"))
        self.cpu = cython.cast(cython.pointer(uint16_t), self._allocate("cpu", "u2"))
        self.type = cython.cast(cython.pointer(uint16_t), self._allocate("type", "u2"))
        self.flags = cython.cast(cython.pointer(uint8_t), self._allocate("flags", "u1"))
        self.thread = cython.cast(cython.pointer(int32_t), self._allocate("thread", "i4"))
        self.fd = cython.cast(cython.pointer(int32_t), self._allocate("fd", "i4"))
        self.fd_row = cython.cast(cython.pointer(int32_t), self._allocate("fd_row", "i4"))
        self.result = cython.cast(cython.pointer(int64_t), self._allocate("result", "i8"))
        self.latency = cython.cast(cython.pointer(int64_t), self._allocate("latency", "i8"))
        self.offset = cython.cast(cython.pointer(int64_t), self._allocate("offset", "i8"))

    def __dealloc__(self) -> None:
        free(self._samples)
        free(self._others)

    def seal(self, end: int) -> Segment:
        """The events written so far as a segment whose last block ends at stream offset ``end``."""
        whole = self.length == self.capacity
        columns = {name: array if whole else array[: self.length].copy() for name, array in self._arrays.items()}
        for array in columns.values():
            array.flags.writeable = False
        samples = np.empty(self._sample_count, SAMPLE)
        if self._sample_count:
            told = cython.cast(cython.pointer(cython.uchar), self._samples)
            size: cython.Py_ssize_t = self._sample_count * cython.sizeof(Sample)
            samples[:] = np.frombuffer(told[:size], SAMPLE)
        others = np.empty(self._other_count, OTHER)
        if self._other_count:
            mentioned = cython.cast(cython.pointer(cython.uchar), self._others)
            others[:] = np.frombuffer(mentioned[: self._other_count * cython.sizeof(Other)], OTHER)
        return Segment(first=self.first, end=end, samples=samples, others=others, **columns)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def sample(self, thread: int32_t, kind: uint8_t, value: int64_t) -> cython.bint:
        """Note a sampled fact at the event about to be written; False when memory is short."""
        if self._sample_count == self._sample_capacity:
            wanted: cython.int = 2 * self._sample_capacity + 1024
            room = cython.cast(cython.pointer(Sample), realloc(self._samples, wanted * cython.sizeof(Sample)))
            if not room:
                return False
            self._samples = room
            self._sample_capacity = wanted
        new: cython.pointer(Sample) = cython.address(self._samples[self._sample_count])
        new.event = self.length
        new.thread = thread
        new.kind = kind
        new.value = value
        self._sample_count += 1
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def other(self, place: cython.int, row: int32_t) -> cython.void:
        """Note the fd row behind another fd of the event about to be written, while there is room."""
        if self._other_count == self._other_capacity:
            wanted: cython.int = 2 * self._other_capacity + 1024
            if wanted > OTHERS_MOST:
                return
            room = cython.cast(cython.pointer(Other), realloc(self._others, wanted * cython.sizeof(Other)))
            if not room:
                return
            self._others = room
            self._other_capacity = wanted
        new: cython.pointer(Other) = cython.address(self._others[self._other_count])
        new.event = self.length
        new.place = place
        new.row = row
        self._other_count += 1

    @cython.cfunc
    @cython.exceptval(0, check=True)
    def _allocate(self, name: str, dtype: str) -> cython.size_t:
        array = np.empty(self.capacity, dtype)
        self._arrays[name] = array
        return array.ctypes.data
