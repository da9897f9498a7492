"""``python -m benchmarks.peers install nest --into DIR``: an environment for another simulator."""

from __future__ import annotations

import argparse
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.peers import Peer, discover


def install(peer: Peer, into: Path) -> Path:
    """Make ``into/name`` with the peer inside; return its interpreter."""
    folder = into / peer.name
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    subprocess.run([python, "-m", "pip", "install", "--disable-pip-version-check", *peer.requirements], check=True)
    return python.absolute()


def main() -> int:
    """Parse the command line; 0 when everything asked for is installed."""
    peers = discover()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("install", help="make one environment per simulator")
    command.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(peers)}; default all")
    command.add_argument("--into", type=Path, required=True, metavar="DIR", help="folder for the environments")
    args = parser.parse_args()
    lines, failed = [], []
    if wrong := sorted(set(args.names) - set(peers)):
        parser.error(f"unknown simulator {wrong[0]!r}; valid: {', '.join(peers)}")
    for name in args.names or peers:
        try:
            lines.append(f"export {peers[name].variable}={install(peers[name], args.into)}")
        except (subprocess.CalledProcessError, OSError) as error:
            failed.append(f"{peers[name].title} could not be installed: {error}")
    print("\n".join(lines))
    print("\n".join(failed), file=sys.stderr, end="\n" if failed else "")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
