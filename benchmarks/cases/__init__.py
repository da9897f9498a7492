"""The benchmarks, one file each: the file ``some_name.py`` with its `CASE` is the benchmark ``some-name``."""
