"""Energy: published prices, the sums they enter, and the break-even they imply."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikesim.energy import (
    ITEMS,
    PICO,
    PRICES,
    Operations,
    break_even,
    estimate,
    memory_access,
    price_ratio,
    prices,
    static_energy,
)
from spikesim.errors import ParameterError

ANN = Operations(
    macs=9472,
    biases=138,
    activations=128,
    weight_reads=9472,
    activation_accesses=330,
    weights=9610,
    activation_words=202,
)
SNN = Operations(
    synaptic_events=60_000,
    biases=3450,
    updates=3450,
    spikes=400,
    draws=1600,
    weight_reads=60_000,
    state_accesses=6900,
    activation_accesses=1600,
    spike_accesses=1800,
    weights=9610,
    states=138,
    activation_words=202,
)
PRICED = [table for table in PRICES.values() if table.mac is not None]


def test_naive_table_is_the_formula_of_the_literature() -> None:
    table = prices("horowitz-fp32-naive")
    assert sum(estimate(ANN, table).values()) == pytest.approx((4.6 * 9472 + 0.9 * 138) * PICO, rel=1e-12)
    assert sum(estimate(SNN, table).values()) == pytest.approx(0.9 * (60_000 + 3450) * PICO, rel=1e-12)
    assert price_ratio(table) == pytest.approx(4.6 / 0.9)


def test_memory_is_priced_by_its_size() -> None:
    points = {8: 10.0, 32: 20.0, 1024: 100.0}  # KB: pJ per 64 bit, Horowitz 2014
    horowitz, lemaire = prices("horowitz-fp32-sram"), prices("lemaire-2022")
    for kilobytes, picojoules in points.items():
        assert memory_access(kilobytes * 1024 / 4, 32, horowitz) == pytest.approx(picojoules / 2)
        assert memory_access(kilobytes * 1024, 8, horowitz) == pytest.approx(picojoules / 8)
        assert memory_access(kilobytes * 1024 / 4, 32, lemaire) == pytest.approx(picojoules)
    assert memory_access(1, 32, horowitz) == memory_access(2048, 32, horowitz) == 5.0
    assert memory_access(1024, 32, lemaire) == pytest.approx(5.0)  # half of 8 KB: linear from nothing
    assert memory_access(1e9, 32, horowitz) == 50.0
    assert memory_access(1e6, 0, horowitz) == 0.0


def test_off_chip_weights_cost_by_their_width() -> None:
    for name, bits in (("horowitz-fp32-dram", 32), ("horowitz-fp16-dram", 16), ("horowitz-int8-dram", 8)):
        off, on = estimate(ANN, prices(name)), estimate(ANN, prices(name.replace("dram", "sram")))
        assert off["weight reads"] == pytest.approx(9472 * 1300 * bits / 64 * PICO)
        assert {k: v for k, v in off.items() if k != "weight reads"} == {k: on[k] for k in ITEMS if k != "weight reads"}


def test_lemaire_counts_membranes_and_addresses_of_every_event() -> None:
    table = prices("lemaire-2022")
    items = estimate(SNN, table)
    state = memory_access(138, 32, table)
    assert items["state traffic of spikes"] == pytest.approx(2 * 60_000 * state * PICO)
    assert items["addressing of spikes"] == pytest.approx(60_000 * 0.1 * PICO)


def test_static_power_is_paid_for_as_long_as_it_takes() -> None:
    loihi = prices("loihi-2018")
    assert static_energy(Operations(steps=10), loihi) == pytest.approx(0.104 * 10e-3)  # 1 mJ for 10 ms
    assert static_energy(Operations(), loihi) is None
    assert static_energy(Operations(steps=10), prices("horowitz-fp32-sram")) is None


def test_narrow_activations_cost_less() -> None:
    table = prices("horowitz-int8-sram")
    costs = [sum(estimate(ANN, table.quantised(bits)).values()) for bits in (2, 4, 8)]
    assert costs == sorted(costs) and costs[-1] == pytest.approx(sum(estimate(ANN, table).values()))
    assert table.quantised(4).mac == pytest.approx(0.2 / 2 + 0.03)
    assert prices("horowitz-fp32-sram").quantised(4) is None
    with pytest.raises(ParameterError, match=r"bits must be 1 … 8, got 9"):
        table.quantised(9)


def test_reads_of_weights_are_split_by_what_asks_for_them() -> None:
    """A direct-coded layer reads its weights whatever the activity is; only the reads for spikes scale with it."""
    table = prices("horowitz-fp32-sram")
    items = estimate(replace(SNN, macs=500.0, weight_reads=60_500.0), table)
    weight = memory_access(9610, 32, table) * PICO
    assert items["weight reads"] == pytest.approx(500 * weight)
    assert items["weight reads for spikes"] == pytest.approx(60_000 * weight)


def test_every_item_counts() -> None:
    """Each count changes the estimate by its own price and nothing else."""
    table = prices("horowitz-fp32-sram")
    weight, state, activation = (memory_access(words, 32, table) for words in (9610, 138, 202))
    price = {
        "synaptic_events": 0.9,
        "biases": 0.9 + weight,
        "updates": 4.6,
        "spikes": 0.9,
        "draws": 0.06,
        "decodes": 0.9,
        "weight_reads": weight,
        "state_accesses": state,
        "activation_accesses": activation,
        "spike_accesses": activation,
    }
    base = sum(estimate(SNN, table).values())
    for name, picojoules in price.items():
        more = replace(SNN, **{name: getattr(SNN, name) + 1e6})
        assert sum(estimate(more, table).values()) - base == pytest.approx(1e6 * picojoules * PICO, rel=1e-9)


@pytest.mark.parametrize("table", PRICED, ids=lambda t: t.name)
@given(scale=st.floats(1e-4, 1e2))
def test_at_break_even_both_cost_the_same(table, scale) -> None:
    """Scaling all activity to the break-even makes the two estimates equal."""
    active = ("synaptic_events", "weight_reads", "spikes", "spike_accesses")
    snn = replace(SNN, **{name: scale * getattr(SNN, name) for name in active})
    ann = estimate(ANN, table)
    limit = break_even(estimate(snn, table), ann, 7.0 * scale)
    if limit == 0.0:
        silent = replace(SNN, **dict.fromkeys(active, 0.0))
        assert sum(estimate(silent, table).values()) >= sum(ann.values())
        return
    even = replace(SNN, **{name: limit / 7.0 * getattr(SNN, name) for name in active})
    assert sum(estimate(even, table).values()) == pytest.approx(sum(ann.values()), rel=1e-9)


def test_no_price_gives_no_number() -> None:
    loihi = prices("loihi-2018")
    assert estimate(ANN, loihi) is None
    assert price_ratio(loihi) is None
    assert break_even(estimate(SNN, loihi), None, 7.0) is None
    assert sum(estimate(SNN, loihi).values()) == pytest.approx((60_000 * 23.6 + 3450 * 81 + 400 * 1.7) * PICO)


def test_tables_say_where_they_come_from() -> None:
    for name, table in PRICES.items():
        assert table.name == name
        assert "doi:" in table.source and table.grade and table.note and table.title


def test_mistakes_are_named() -> None:
    with pytest.raises(ParameterError, match=r"Operations\.macs.*>= 0.*-1"):
        Operations(macs=-1)
    with pytest.raises(ParameterError, match=r"Operations\.spikes.*nan"):
        Operations(spikes=float("nan"))
    with pytest.raises(ParameterError, match="horowitz-fp32-naive"):
        prices("horowitz-fp32-naiv")
    with pytest.raises(ParameterError, match=r"spikes_per_synapse.*>= 0"):
        break_even({"accumulates": 1.0}, {"multiply-accumulates": 1.0}, -1.0)
