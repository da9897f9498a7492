"""Networks that develop and rewire while they live, found by evolution."""
