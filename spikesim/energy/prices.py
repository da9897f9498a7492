"""Price tables: energy per operation, where it was published, and what kind of evidence it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from spikesim.errors import ParameterError, unknown

Points = tuple[tuple[float, float], ...]

_HOROWITZ_SRAM: Points = ((8 * 1024, 10.0), (32 * 1024, 20.0), (1024 * 1024, 100.0))  # pJ per 64-bit read
_LEMAIRE_SRAM: Points = ((0, 0.0), *_HOROWITZ_SRAM)  # the same figures, as the price of 32 bits
_DRAM = 1300.0  # pJ per 64 bits, the lower end of 1.3 to 2.6 nJ


@dataclass(frozen=True)
class Prices:
    """Energy per operation, in pJ.

    Parameters
    ----------
    name, title : str
        Key and short readable name.
    synaptic_event : float
        Price of one accumulate because of a spike.
    source, grade, note : str
        Where the prices come from, what kind of evidence they are, and what they leave out.
    mac : float or None
        Price of a multiply-accumulate; None where the table has none.
    bias, update, activation, spike, draw, decode, address : float
        Price of one such operation of `Operations`.
    bits, state_bits : int
        Width of weights and activations, and of membranes; 0 where memory is not priced apart.
    activation_bits : int
        Width of activations where it differs from `bits`, else 0.
    sram : tuple of (bytes, pJ)
        Price of an access by size of the memory, linear in between.
    sram_bits : int
        Width of the access that `sram` prices; other widths pro rata.
    dram : float
        pJ per 64 bits of a weight that comes from off-chip memory; 0 where weights lie on the chip.
    state_per_event : bool
        Whether every synaptic event reads and writes its membrane, instead of a register.
    static_w, step_ms : float
        Power drawn whatever happens, and the time one step takes.
    integer : bool
        Whether multiplications are of integers, so that narrower activations cost less.
    """

    name: str
    title: str
    synaptic_event: float
    source: str
    grade: str
    note: str
    mac: float | None = None
    bias: float = 0.0
    update: float = 0.0
    activation: float = 0.0
    spike: float = 0.0
    draw: float = 0.0
    decode: float = 0.0
    address: float = 0.0
    bits: int = 0
    state_bits: int = 0
    activation_bits: int = 0
    sram: Points = _HOROWITZ_SRAM
    sram_bits: int = 64
    dram: float = 0.0
    state_per_event: bool = False
    static_w: float = 0.0
    step_ms: float = 0.0
    integer: bool = False

    def quantised(self, bits: int) -> Prices | None:
        """The same table for activations of `bits` bits, weights as wide as before; None unless it prices integers.

        The energy of a multiplication grows with the product of the two widths (0.2 pJ for 8 × 8 bits and 3.1 pJ for
        32 × 32 bits in Horowitz' table); the accumulator stays as it is.
        """
        if not self.integer or self.mac is None:
            return None
        if not 1 <= bits <= _INT8_WIDTH:
            raise ParameterError(f"Prices.quantised: bits must be 1 … {_INT8_WIDTH}, got {bits}")
        return replace(self, mac=_INT8_MULTIPLY * bits / _INT8_WIDTH + _INT8_ADD, activation_bits=bits)


_INT8_WIDTH, _INT8_MULTIPLY, _INT8_ADD = 8, 0.2, 0.03
_HOROWITZ = "Horowitz 2014, doi:10.1109/ISSCC.2014.6757323, figure 1.1.9, 45 nm 0.9 V"
_ARITHMETIC = "arithmetic on a published table of operation costs, no chip"
_NAIVE = "memory, neuron updates, encoder and decoder are free, as in most papers on spiking networks"
_ON_CHIP = (
    "with reads and writes of weights, membranes, activations and spikes in on-chip memory, neuron updates, encoder "
    "and decoder; no wires between chips, no leakage, no off-chip memory"
)
_OFF_CHIP = "as the same with on-chip memory, but every weight comes from off-chip memory at 1.3 nJ per 64 bits"
_CHIP = "no price for multiply-accumulates, so no ANN stands beside it"

_FP32 = {"mac": 4.6, "synaptic_event": 0.9, "bias": 0.9, "activation": 0.9, "spike": 0.9, "decode": 0.9}
_FP16 = {"mac": 1.5, "synaptic_event": 0.4, "bias": 0.4, "activation": 0.4, "spike": 0.4, "decode": 0.4}
_INT8 = {"mac": 0.23, "synaptic_event": 0.03, "bias": 0.03, "activation": 0.03, "spike": 0.05, "decode": 0.05}


def _horowitz(kind: str, costs: dict[str, float], update: float, bits: int, state_bits: int) -> list[Prices]:
    """Naive, on-chip and off-chip table of one number format."""
    common = {"source": _HOROWITZ, "grade": _ARITHMETIC, "integer": kind == "int8"}
    naive = {"mac": costs["mac"], "synaptic_event": costs["synaptic_event"], "bias": costs["bias"]}
    memory = {**costs, "update": update, "draw": 0.06, "bits": bits, "state_bits": state_bits}
    name = f"horowitz-{kind}"
    first = f"{costs['mac']} pJ a multiply-accumulate, {costs['synaptic_event']} pJ an addition; {_NAIVE}"
    return [
        Prices(name=f"{name}-naive", title=f"Horowitz {kind}, naive", note=first, **naive, **common),  # type: ignore[arg-type]
        Prices(name=f"{name}-sram", title=f"Horowitz {kind} + SRAM", note=_ON_CHIP, **memory, **common),  # type: ignore[arg-type]
        Prices(name=f"{name}-dram", title=f"Horowitz {kind} + DRAM", note=_OFF_CHIP, dram=_DRAM, **memory, **common),  # type: ignore[arg-type]
    ]


_INT8_NOTE = "; both networks priced as if 8 bits cost no accuracy, 16-bit membranes, wider accumulators not counted"

PRICES: dict[str, Prices] = {
    p.name: p
    for p in (
        *_horowitz("fp32", _FP32, update=4.6, bits=32, state_bits=32),
        *_horowitz("fp16", _FP16, update=1.5, bits=16, state_bits=16),
        *(replace(p, note=p.note + _INT8_NOTE) for p in _horowitz("int8", _INT8, update=0.25, bits=8, state_bits=16)),
        Prices(
            name="lemaire-2022",
            title="Lemaire 2022",
            mac=3.2,
            synaptic_event=0.1,
            bias=0.1,
            update=3.2,
            activation=0.1,
            spike=0.1,
            draw=0.2,
            decode=0.1,
            address=0.1,
            bits=32,
            state_bits=32,
            sram=_LEMAIRE_SRAM,
            sram_bits=32,
            state_per_event=True,
            source="Lemaire et al. 2022, doi:10.48550/arXiv.2210.13107, on the 45 nm figures of Horowitz 2014",
            grade=_ARITHMETIC,
            note="32-bit integers, memory and addressing: every synaptic event reads its weight, reads and writes its "
            "membrane and computes an address; the two multiplications per spike and convolution are not counted",
        ),
        Prices(
            name="loihi-2018",
            title="Loihi 2018",
            synaptic_event=23.6,
            update=81.0,
            spike=1.7,
            static_w=0.104,
            step_ms=1.0,
            source="Davies et al. 2018, doi:10.1109/MM.2018.112130359, table 2, 14 nm 0.75 V; static power of a chip: "
            "Frady et al. 2020, doi:10.1145/3381755.3398695",
            grade="pre-silicon circuit simulation, not measured (static power: measured)",
            note="memory is part of each price; the bias is part of the neuron update; input over the chip's edge not "
            f"counted; a step is taken to last 1 ms for the static power, the chip can be faster; {_CHIP}",
        ),
        Prices(
            name="truenorth-2014",
            title="TrueNorth 2014",
            synaptic_event=26.0,
            step_ms=1.0,
            source="Merolla et al. 2014, doi:10.1126/science.1254642, 28 nm 0.775 V",
            grade="measured silicon",
            note="26 pJ is all of the power (72 mW, static power included) over all synaptic events at 20 Hz and 128 "
            f"active synapses; a sparser network pays more per event; {_CHIP}",
        ),
        Prices(
            name="spinnaker-1",
            title="SpiNNaker 1",
            synaptic_event=13_300.0,
            update=26_000.0,
            step_ms=1.0,
            source="Höppner et al. 2019, doi:10.48550/arXiv.1903.08941, 130 nm",
            grade="measured silicon, as quoted by KerasSpiking",
            note=f"general-purpose processors that compute neurons in software, steps of 1 ms; {_CHIP}",
        ),
        Prices(
            name="spinnaker-2",
            title="SpiNNaker 2",
            synaptic_event=450.0,
            update=2_190.0,
            step_ms=1.0,
            source="Höppner et al. 2019, doi:10.48550/arXiv.1903.08941, 28 nm prototype",
            grade="measured silicon of a prototype, as quoted by KerasSpiking",
            note=f"general-purpose processors that compute neurons in software, steps of 1 ms; {_CHIP}",
        ),
        Prices(
            name="odin-2019",
            title="ODIN 2019",
            synaptic_event=12.7,
            source="Frenkel et al. 2019, doi:10.1109/TBCAS.2018.2880425, 28 nm 0.55 V",
            grade="measured silicon",
            note="all of the power over all synaptic operations, 256 neurons with 3-bit weights; a larger network would"
            f" not fit; {_CHIP}",
        ),
    )
}


def prices(name: str) -> Prices:
    """Price table `name`.

    Raises
    ------
    ParameterError
        If there is no such table.
    """
    if name not in PRICES:
        raise unknown("price table", name, PRICES)
    return PRICES[name]
