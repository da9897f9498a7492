"""The only place that decorates kernels: one house `kernel`, and `verb` for kernels chosen by part types.

A `verb` is a function with one body per combination of part types. Compiled code picks the body when it
compiles (no branch is left at run time); with ``NUMBA_DISABLE_JIT=1`` the same source runs as plain Python.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ.setdefault("NUMBA_DISABLE_INTEL_SVML", "1")  # one exp and log everywhere: compiled == interpreted

import numba
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils, event
from numba.extending import intrinsic, overload

_PACKAGE = Path(__file__).parent
COMPILED = not numba.config.DISABLE_JIT
_OPTIONS = {"error_model": "numpy"}
_INNER = {**_OPTIONS, "_nrt": False}


def _cache_dir() -> str:
    """Folder of compiled kernels, named by a hash of all sources: an edit anywhere starts a fresh one."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(path.read_bytes())
    digest.update(numba.__version__.encode())
    base = os.environ.get("SPIKESIM_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "spikesim"
    )
    folder = os.path.join(base, digest.hexdigest())
    try:
        os.makedirs(folder, exist_ok=True)
        os.utime(folder)
    except OSError:
        return tempfile.mkdtemp(prefix="spikesim-")
    for old in Path(base).iterdir():
        if old.is_dir() and time.time() - old.stat().st_mtime > 14 * 86400:
            shutil.rmtree(old, ignore_errors=True)
    return folder


CACHE_DIR = _cache_dir() if COMPILED else ""


def kernel(
    function: Callable[..., Any] | None = None,
    /,
    *,
    cache: bool = True,
    lean: bool = False,
    inline: bool = False,
    inner: bool = False,
) -> Any:
    """Compile with the house flags: IEEE arithmetic (no fastmath), without the GIL, cached on disk.

    `lean` kernels allocate nothing and do without reference counts, which would cost more than the arithmetic.
    `inline` ones are lean and always inlined: a call would copy every array header in their tuples. `inner` ones are
    lean and have no entry for Python: only kernels may call them.
    """
    if function is None:
        return functools.partial(kernel, cache=cache, lean=lean, inline=inline, inner=inner)
    saved = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = CACHE_DIR
    try:
        return njit(
            function,
            nogil=True,
            cache=cache and not inner,  # else a user's types would stand in files that other processes read
            no_cfunc_wrapper=True,
            no_cpython_wrapper=inner,
            _nrt=not (lean or inner or inline),
            forceinline=inline,
            **_OPTIONS,
        )
    finally:
        numba.config.CACHE_DIR = saved


def plain(function: Any) -> Any:
    """The Python function behind a kernel (itself where nothing is compiled)."""
    return getattr(function, "py_func", function)


def verb(n_keys: int = 1, default: bool = False, inline: bool = False) -> Callable[[Callable[..., Any]], Any]:
    """Declare a verb: its kernel is chosen by the types of the first `n_keys` arguments (named tuples of a part).

    The decorated stub carries the contract in its docstring; with `default` its body serves all types that
    registered none. Kernels are added with ``name.register(Part, …)``; ``name.table`` lists them. `inline` is that of
    `kernel`.
    """

    def wrap(stub: Callable[..., Any]) -> Any:
        table: dict[tuple[type, ...], Callable[..., Any]] = {}
        fallback = stub if default else None

        @functools.wraps(stub)
        def call(*args: Any) -> Any:
            return table.get(tuple(map(type, args[:n_keys])), stub)(*args)

        if COMPILED:

            @overload(call, strict=False, jit_options={**_INNER, "forceinline": inline})
            def choose(*args: Any) -> Any:
                keys: Any = tuple(getattr(a, "instance_class", None) for a in args[:n_keys])
                return table.get(keys, fallback)

        def register(*classes: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
            keys = tuple(getattr(c, "kernel_type", lambda c=c: c)() for c in classes)

            def add(body: Callable[..., Any]) -> Callable[..., Any]:
                if keys in table:
                    raise TypeError(f"{stub.__name__} is already defined for {', '.join(k.__name__ for k in keys)}")
                table[keys] = body
                return body

            return add

        call.register, call.table = register, table  # type: ignore[attr-defined]
        return call

    return wrap


def twin(python: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give the plain-Python function `python` a compiled form chosen from argument types by the decorated function."""

    def wrap(choose: Callable[..., Any]) -> Callable[..., Any]:
        if COMPILED:
            overload(python, strict=False, jit_options=_INNER)(choose)
        return choose

    return wrap


def is_none(kind: Any) -> bool:
    """Whether the compiled type of an argument is that of None."""
    return isinstance(kind, types.NoneType)


def at(value: Any, i: int) -> Any:
    """`value` of neuron `i`, whether it is one number for all or one per neuron."""
    return value[i] if isinstance(value, np.ndarray) else value


@twin(at)
def _at(value: Any, i: Any) -> Any:
    if isinstance(value, types.Array):
        return lambda value, i: value[i]
    return lambda value, i: value


def load(arrays: Any, i: int) -> Any:
    """Values of neuron `i` from a tuple of arrays, as a tuple."""
    return tuple(a[i] for a in arrays)


@twin(load)
def _load(arrays: Any, i: Any) -> Any:
    if len(arrays) == 1:
        return lambda arrays, i: (arrays[0][i],)
    return lambda arrays, i: (arrays[0][i],) + load(arrays[1:], i)  # noqa: RUF005


def store(arrays: Any, i: int, values: Any) -> None:
    """Write a tuple of values of neuron `i` into a tuple of arrays."""
    for array, value in zip(arrays, values, strict=True):
        array[i] = value


@twin(store)
def _store(arrays: Any, i: Any, values: Any) -> Any:
    if len(arrays) == 1:

        def one(arrays, i, values):
            arrays[0][i] = values[0]

        return one

    def more(arrays, i, values):
        arrays[0][i] = values[0]
        store(arrays[1:], i, values[1:])

    return more


def axpy(x: Any, c: float, k: Any) -> Any:
    """x + c k, element by element of two tuples."""
    return tuple(a + c * b for a, b in zip(x, k, strict=True))


@twin(axpy)
def _axpy(x: Any, c: Any, k: Any) -> Any:
    if len(x) == 1:
        return lambda x, c, k: (x[0] + c * k[0],)
    return lambda x, c, k: (x[0] + c * k[0],) + axpy(x[1:], c, k[1:])  # noqa: RUF005


# ---------------------------------------------------------------- what Numba has no words for


def _address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    stride = context.get_constant(types.intp, array_type.dtype.bitwidth // 8)
    if array_type.layout != "C":
        stride = builder.extract_value(context.make_array(array_type)(context, builder, array).strides, 0)
    return builder.gep(builder.bitcast(data, cgutils.voidptr_t), [builder.mul(index, stride)])


@intrinsic
def _fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    def make(context, builder, signature, args):
        return builder.fma(*args)

    return types.float64(types.float64, types.float64, types.float64), make


def fma(a: float, b: float, c: float) -> float:
    """``a b + c``, rounded once."""
    if not math.isfinite(a + b + c):
        return a * b + c
    try:
        return float(Fraction(a) * Fraction(b) + Fraction(c))
    except OverflowError:
        return a * b + c


@twin(fma)
def _fma_twin(a: Any, b: Any, c: Any) -> Any:
    return lambda a, b, c: _fma(np.float64(a), np.float64(b), np.float64(c))


@intrinsic
def _peek(typing_context: Any, array: Any, index: Any) -> Any:
    def make(context, builder, signature, args):
        place = builder.bitcast(_address(context, builder, array, *args), ir.IntType(64).as_pointer())
        return builder.load_atomic(place, "acquire", 8)

    return types.int64(array, types.int64), make


@intrinsic
def _publish(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    def make(context, builder, signature, args):
        place = builder.bitcast(_address(context, builder, array, *args[:2]), ir.IntType(64).as_pointer())
        builder.store_atomic(args[2], place, "release", 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), make


@intrinsic
def _prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    def make(context, builder, signature, args):
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [_address(context, builder, array, *args), number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), make


def peek(array: Any, i: int) -> Any:
    """``array[i]`` of int64 as another thread last published it."""
    return array[i]


@twin(peek)
def _peek_twin(array: Any, i: Any) -> Any:
    return lambda array, i: _peek(array, np.int64(i))


def publish(array: Any, i: int, value: int) -> None:
    """``array[i] = value`` after all that was written before, as other threads see it."""
    array[i] = value


@twin(publish)
def _publish_twin(array: Any, i: Any, value: Any) -> Any:
    return lambda array, i, value: _publish(array, np.int64(i), np.int64(value))


def prefetch(array: Any, i: int) -> None:
    """Start to fetch ``array[i]`` into the cache; it may lie beyond the end."""


@twin(prefetch)
def _prefetch_twin(array: Any, i: Any) -> Any:
    return lambda array, i: _prefetch(array, np.int64(i))


_sched_yield = types.ExternalFunction("sched_yield", types.int32())


def rest() -> None:
    """Let another thread have the processor."""
    time.sleep(0)


@twin(rest)
def _rest_twin() -> Any:
    if os.name == "posix":
        return lambda: _sched_yield()
    return lambda: None


class _Announcer(event.Listener):
    """Calls a function when a kernel starts to be compiled, that is, was not found on disk."""

    def __init__(self, announce: Callable[[], object]) -> None:
        self.announce = announce

    def on_start(self, event: Any) -> None:
        self.announce()

    def on_end(self, event: Any) -> None:
        pass


@contextlib.contextmanager
def compile_clock(announce: Callable[[], object] = lambda: None) -> Iterator[Callable[[], float]]:
    """Yield a function that tells the seconds spent so far inside on compiling kernels or loading them from disk.

    `announce` is called whenever one has to be compiled.
    """
    if not COMPILED:
        yield lambda: 0.0
        return
    clock = event.TimingListener()
    with (
        event.install_listener("numba:compile", _Announcer(announce)),
        event.install_listener("numba:compiler_lock", clock),
    ):
        yield lambda: clock.duration if clock.done else 0.0
