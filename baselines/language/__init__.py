"""Words as vectors and as spikes: corpora, negative sampling, controls."""
