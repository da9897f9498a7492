"""``python -m baselines``: the commands of this package on their own."""

import typer

from baselines.claims.cli import register as register_claims
from baselines.cli import register
from baselines.encoding.cli import register as register_encoding
from spikesim.commands import Group

app = typer.Typer(cls=Group, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
app.callback()(lambda: None)  # keeps the name of the command even while there is only one
register(app)
register_encoding(app)
register_claims(app)

if __name__ == "__main__":
    app(prog_name="python -m baselines")
