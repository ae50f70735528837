"""The predicted program against the file: a converter that does something new is noticed before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from cnnpipe.graph import Graph
from cnnpipe.graph.lowering import NotPredicted
from cnnpipe.recipe.exports import PlannedExport
from cnnpipe.recipe.feasibility import Forecast, forecast

END = "nothing more"


def unpredicted(export: PlannedExport, graph: Graph, operators: Sequence[str]) -> tuple[str, ...]:
    """Return in a sentence where the operators of a file are not the predicted ones; nothing where they are.

    Nothing is said either where no program is predicted, or where operators were asked to stay in float.

    Args:
        export: What was asked for.
        graph: The network that was converted.
        operators: Names of the file's operators, in their order.
    """
    if export.kept_float:
        return ()
    try:
        made = forecast(export, graph)
    except NotPredicted:
        return ()
    predicted = [operator.name for operator in made.program.operators]
    pairs = enumerate(zip_longest(predicted, operators, fillvalue=END))
    first = next(((number, pair) for number, pair in pairs if pair[0] != pair[1]), None)
    return (_difference(made, *first),) if first else ()


def _difference(made: Forecast, number: int, pair: tuple[str, str]) -> str:
    expected, found = pair
    operators = made.program.operators
    layer = f" (layer {operators[number].layer})" if number < len(operators) else ""
    return f"predicted {expected}{layer}, the converter made {found} at operator {number}: memory and size may differ"
