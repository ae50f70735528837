"""Lines of C++ that stand once for each input and output of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cnnpipe.attachments import _c_text
from cnnpipe.attachments._golden_samples import Samples
from cnnpipe.attachments._model_settings import suffix
from cnnpipe.manifest import InputEntry, Manifest, OutputEntry


@dataclass(frozen=True)
class _Tensor:
    """An input or output.

    Args:
        role: `Input` or `Output`.
        place: Its position among those of its role.
        name: What C++ calls it, such as `Input`, or `Output1` where there are several.
        entry: What bundle.json says of it.
    """

    role: str
    place: int
    name: str
    entry: InputEntry | OutputEntry

    @property
    def array(self) -> str:
        """The declaration of its golden values."""
        return f"const {self.name}Type kGolden{self.name}[kGoldenSamples][k{self.name}Elements]"

    @property
    def pointer(self) -> str:
        """The type of a pointer to its values: outputs are only read."""
        return f"{'const ' if self.role == 'Output' else ''}{self.name}Type*"


def words(manifest: Manifest, samples: Samples) -> dict[str, str]:
    """Return the lines for the texts of the project, by the word that stands for them."""
    return {
        "functions": _lines(manifest, _function),
        "accessors": _lines(manifest, _accessor),
        "checks": _lines(manifest, _check),
        "fill": _lines(manifest, _fill),
        "compare": "".join(map(_compare, _tensors(manifest))),
        "arrays": _lines(manifest, lambda tensor: f"extern {tensor.array};"),
        "definitions": _lines(manifest, lambda tensor: _definition(tensor, samples)),
    }


def _lines(manifest: Manifest, line: Callable[[_Tensor], str]) -> str:
    return "\n".join(filter(None, map(line, _tensors(manifest))))


def _tensors(manifest: Manifest) -> Iterator[_Tensor]:
    for place, entry in enumerate(manifest.inputs):
        yield _Tensor("Input", place, f"Input{suffix(manifest.inputs, place)}", entry)
    for place, output in enumerate(manifest.outputs):
        yield _Tensor("Output", place, f"Output{suffix(manifest.outputs, place)}", output)


def _function(tensor: _Tensor) -> str:
    use = "to be filled before Run" if tensor.role == "Input" else "there after Run"
    return f"// k{tensor.name}Elements values, {use}; valid after Begin.\n{tensor.pointer} {tensor.name}();"


def _accessor(tensor: _Tensor) -> str:
    where = f"interpreter->{tensor.role.lower()}({tensor.place})->data.raw"
    return f"{tensor.pointer} {tensor.name}() {{ return reinterpret_cast<{tensor.pointer}>({where}); }}"


def _check(tensor: _Tensor) -> str:
    where = f"made.{tensor.role.lower()}({tensor.place})->bytes"
    return f"  if ({where} != k{tensor.name}Elements * sizeof({tensor.name}Type)) return false;"


def _fill(tensor: _Tensor) -> str:
    golden = f"kGolden{tensor.name}[sample]"
    return f"  std::memcpy({tensor.name}(), {golden}, sizeof({golden}));" if _is_input(tensor) else ""


def _compare(tensor: _Tensor) -> str:
    name = tensor.name
    return "" if _is_input(tensor) else f" && Near({name}(), kGolden{name}[sample], k{name}Elements)"


def _is_input(tensor: _Tensor) -> bool:
    return tensor.role == "Input"


def _definition(tensor: _Tensor, samples: Samples) -> str:
    rows = "\n".join(f"    {{\n{_c_text.values(row)}\n    }}," for row in samples.values[tensor.entry.name])
    return f"{tensor.array} = {{\n{rows}\n}};\n"
