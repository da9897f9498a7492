"""Weights of single NEST synapses with given spikes on both sides: ``python nest_synapses.py SPEC.json OUT.json``.

Runs in NEST's own environment, without spikesim. A spec names the model, its parameters, those of the target neuron,
the delay, and the times at which source and target fire (on the step); what comes out is what each source spike sent.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

STEP = 0.125  # ms; sums of it are exact


def sent(nest: Any, spec: dict[str, Any]) -> list[float]:
    """Weight of each spike that the synapse delivered."""
    nest.ResetKernel()
    nest.set(resolution=STEP, overwrite_files=True)
    recorder = nest.Create("weight_recorder")
    nest.CopyModel(spec["model"], "tested", {"weight_recorder": recorder, **spec["parameters"]})
    source, target = nest.Create("parrot_neuron"), nest.Create("parrot_neuron", params=spec["target"])
    for neuron, times in ((source, spec["pre"]), (target, spec["post"])):
        train = nest.Create("spike_generator", params={"spike_times": [t - STEP for t in times]})
        nest.Connect(train, neuron, syn_spec={"delay": STEP})
    # to the second port of a parrot: learns, and is not passed on
    synapse = {"synapse_model": "tested", "weight": spec["weight"], "delay": spec["delay"], "receptor_type": 1}
    nest.Connect(source, target, syn_spec=synapse)
    nest.Simulate(max(spec["pre"] + spec["post"]) + spec["delay"] + 10.0)
    return list(recorder.events["weights"])


def main(spec: Path, out: Path) -> None:
    """Work through a list of specs."""
    import nest

    nest.set_verbosity("M_ERROR")
    out.write_text(json.dumps([sent(nest, s) for s in json.loads(spec.read_text())]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
