"""Counter-based random numbers: each value is a function of (seed, purpose, element, draw) and of nothing else.

There is no stream to advance, so results do not depend on threads, on the order of work or on where a run was
split. The mixing function is Stafford's variant 13 of the 64-bit finaliser used by SplitMix64
(Steele, Lea & Flood 2014, doi:10.1145/2714064.2660195), applied once per key word.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np

from spikesim._jit import kernel

U64 = np.uint64
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S12 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(12)
_ONE = np.uint64(1)
_LOW = np.uint64(2**32 - 1)
_TO_UNIT = 2.0**-52


@kernel(inline=True)
def mix(x):
    """Bijective 64-bit scrambler; x and the result are uint64."""
    x = (x ^ (x >> _S30)) * _M1
    x = (x ^ (x >> _S27)) * _M2
    return x ^ (x >> _S31)


@kernel(inline=True)
def bits(key, element, draw):
    """64 random bits for draw number `draw` of `element` under `key`."""
    return mix(mix(key + (U64(element) + _ONE) * GOLDEN) + (U64(draw) + _ONE) * GOLDEN)


@kernel(inline=True)
def unit(word):
    """Uniform number in (0, 1) from 64 bits; never 0 and never 1."""
    return (np.float64(word >> _S12) + 0.5) * _TO_UNIT


@kernel(inline=True)
def uniform(key, element, draw):
    """Uniform number in (0, 1)."""
    return unit(bits(key, element, draw))


def _ziggurat() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Layers of equal area under exp(-x): right edge per unit, share of sure hits (as 53-bit counts), height."""
    edge, area = 7.69711747013104972, 0.0039496598225815571993
    x = np.empty(257)
    x[0], x[1] = area * math.exp(edge), edge
    for i in range(2, 256):
        x[i] = -math.log(math.exp(-x[i - 1]) + area / x[i - 1])
    x[256] = 0.0
    return x[:256] * 2.0**-53, np.floor(x[1:] / x[:256] * 2.0**53), np.exp(-x)


_WIDTH, _SURE, _HEIGHT = _ziggurat()
_TAIL = 7.69711747013104972
_LAYER, _S8 = np.uint64(0xFF), np.uint64(8)


@kernel(inline=True)
def stream(key, element):
    """What `exponential` needs to know of (key, element)."""
    return mix(key + (U64(element) + _ONE) * GOLDEN)


@kernel(inline=True)
def exponential(start, draw):
    """Exponential number with mean 1: draw number `draw` of the element whose `stream` is `start`.

    Ziggurat with 256 layers (Marsaglia & Tsang 2000, doi:10.18637/jss.v005.i08); 99 % of the draws end at once.
    """
    word = mix(start + (U64(draw) + _ONE) * GOLDEN)
    layer = word & _LAYER
    u = np.float64(np.int64(word >> U64(11)))  # converting signed numbers is one instruction
    x = u * _WIDTH[layer]
    if u < _SURE[layer]:
        return x
    return _edge_of_layer(word, layer, x)


@kernel(inner=True)
def _edge_of_layer(word, layer, x):
    """The rare rest of `exponential`: tail, wedges, and further tries from words derived from `word`."""
    while True:
        word = mix(word + GOLDEN)
        if layer == U64(0):
            return _TAIL - math.log(unit(word))
        low, high = _HEIGHT[layer], _HEIGHT[layer + _ONE]
        if low + unit(word) * (high - low) < math.exp(-x):
            return x
        word = mix(word + GOLDEN)
        layer = word & _LAYER
        u = np.float64(word >> U64(11))
        x = u * _WIDTH[layer]
        if u < _SURE[layer]:
            return x


def _ziggurat_normal() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `_ziggurat`, for exp(-x**2 / 2)."""
    edge, area = _NORMAL_TAIL, 4.92867323399e-3
    x = np.empty(257)
    x[0], x[1] = area * math.exp(0.5 * edge * edge), edge
    for i in range(2, 256):
        x[i] = math.sqrt(-2.0 * math.log(math.exp(-0.5 * x[i - 1] ** 2) + area / x[i - 1]))
    x[256] = 0.0
    return x[:256] * 2.0**-53, np.floor(x[1:] / x[:256] * 2.0**53), np.exp(-0.5 * x * x)


_NORMAL_TAIL = 3.6541528853610088
_NORMAL_WIDTH, _NORMAL_SURE, _NORMAL_HEIGHT = _ziggurat_normal()


@kernel(inline=True)
def normal(word):
    """Standard normal number from 64 bits; ziggurat with 256 layers, as `exponential`."""
    layer = word & _LAYER
    u = np.float64(np.int64(word >> U64(11)))
    x = u * _NORMAL_WIDTH[layer]
    if u >= _NORMAL_SURE[layer]:
        x = _edge_of_normal(word, layer, x)
    return x if word & U64(256) else -x


@kernel(inner=True)
def _edge_of_normal(word, layer, x):
    """The rare rest of `normal`."""
    while True:
        word = mix(word + GOLDEN)
        if layer == U64(0):
            beyond = -math.log(unit(word)) / _NORMAL_TAIL
            word = mix(word + GOLDEN)
            if -2.0 * math.log(unit(word)) > beyond * beyond:
                return _NORMAL_TAIL + beyond
            continue
        low, high = _NORMAL_HEIGHT[layer], _NORMAL_HEIGHT[layer + _ONE]
        if low + unit(word) * (high - low) < math.exp(-0.5 * x * x):
            return x
        word = mix(word + GOLDEN)
        layer = word & _LAYER
        u = np.float64(np.int64(word >> U64(11)))
        x = u * _NORMAL_WIDTH[layer]
        if u < _NORMAL_SURE[layer]:
            return x


@kernel(lean=True)
def fill_normal(key, draw, first, out):
    """out[k] = normal number `draw` of element first + k."""
    start = mix(key + (U64(draw) + _ONE) * GOLDEN)
    for k in range(len(out)):
        out[k] = normal(mix(start + (U64(first + k) + _ONE) * GOLDEN))


@kernel(inline=True)
def below(word, n):
    """Whole number in [0, n) from 64 random bits, for n < 2**32, all equally likely (Lemire, doi:10.1145/3230636)."""
    product = (word >> U64(32)) * U64(n)
    if (product & _LOW) < U64(n):
        product = _settled(word, product, U64(n))
    return np.int64(product >> U64(32))


@kernel(inner=True)
def _settled(word, product, n):
    """The rare rest of `below`: words that are too many for equal shares give way to words derived from them."""
    while (product & _LOW) < (_LOW + _ONE - n) % n:
        word = mix(word + GOLDEN)
        product = (word >> U64(32)) * n
    return product


@kernel(lean=True)
def fill_uniform(key, elements, draws, out):
    """out[i] = uniform(key, elements[i], draws[i])."""
    for i in range(len(out)):
        out[i] = uniform(key, elements[i], draws[i])


def make_key(seed: int, *words: str | int) -> np.uint64:
    """Key of one purpose: a hash of the seed and the words that name it."""
    text = "\x1f".join([str(int(seed)), *map(str, words)])
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))


def uniforms(key: np.uint64, elements: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Vector of uniform numbers in (0, 1), one per pair of element and draw."""
    out = np.empty(len(elements))
    with np.errstate(over="ignore"):
        fill_uniform(key, elements, draws, out)
    return out
