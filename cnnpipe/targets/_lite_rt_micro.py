"""What LiteRT Micro has: its operators, and what a recipe can say in the place of those that it lacks.

The operators are the methods `Add...` of `MicroMutableOpResolver` in github.com/tensorflow/tflite-micro at commit
90b983c (2026-08-20). That an operator is there does not mean that it computes with every type: what is known of that
is here too, but the proof of an exported file is that LiteRT Micro runs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cnnpipe.program import Program
from cnnpipe.targets import Misfit

BUILTIN = frozenset(
    """
    ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND BROADCAST_ARGS
    BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS CUMSUM DEPTH_TO_SPACE DEPTHWISE_CONV_2D
    DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV
    FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D
    LEAKY_RELU LESS LESS_EQUAL LOG LOG_SOFTMAX LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC MAX_POOL_2D MAXIMUM
    MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_ALL REDUCE_MAX
    REDUCE_MIN RELU RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE
    SIN SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE
    STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE
    WHILE ZEROS_LIKE
""".split()
)
"""LiteRT's names of the builtin operators that it has."""
_IRREGULAR = {
    "BATCH_MATMUL": "BatchMatMul",
    "CUMSUM": "CumSum",
    "PADV2": "PadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
}
CUSTOM: Mapping[str, str] = {
    "CIRCULAR_BUFFER": "CircularBuffer",
    "SignalDelay": "Delay",
    "SignalEnergy": "Energy",
    "SignalFftAutoScale": "FftAutoScale",
    "SignalFilterBank": "FilterBank",
    "SignalFilterBankLog": "FilterBankLog",
    "SignalFilterBankSpectralSubtraction": "FilterBankSpectralSubtraction",
    "SignalFilterBankSquareRoot": "FilterBankSquareRoot",
    "SignalFramer": "Framer",
    "SignalIrfft": "Irfft",
    "SignalOverlapAdd": "OverlapAdd",
    "SignalPCAN": "PCAN",
    "SignalRfft": "Rfft",
    "SignalStacker": "Stacker",
    "SignalWindow": "Window",
    "TFLM_DECODE": "Decode",
    "TFLite_Detection_PostProcess": "DetectionPostprocess",
    "ethos-u": "EthosU",
}
"""Custom operators that it has, by the custom name in a file; the value is the resolver's method without `Add`."""
REPLACEMENTS: Mapping[str, str] = {
    "GELU": "Write 'activation: relu', or 'hard_swish', which is as smooth.",
    "TILE": "Enlarge a map in 2D with one resize operator (nearest or bilinear).",
    "SELECT": "Write 'activation: relu', 'leaky_relu' or 'hard_swish'.",
    "POW": "Write 'activation: relu', or multiply.",
    "CONV_3D": "Use convolutions in 2D, with time or depth as channels.",
    "CONV_3D_TRANSPOSE": "Use convolutions in 2D, with time or depth as channels.",
    "TOPK_V2": "Let the program that calls the model choose.",
    "ONE_HOT": "Let the program that calls the model make it.",
    "NON_MAX_SUPPRESSION_V4": "Let the program that calls the model do it.",
    "NON_MAX_SUPPRESSION_V5": "Let the program that calls the model do it.",
    "WHERE": "Keep every shape static, with a batch of one.",
    "RANGE": "Keep every shape static, with a batch of one.",
    "REDUCE_PROD": "Use a mean, a sum or a maximum.",
}
"""What a recipe can say in the place of an operator that is not there."""
UNABLE: Mapping[str, tuple[str, ...]] = {
    "ARG_MAX": ("int64",),
    "ARG_MIN": ("int64",),
    "EXP": ("int8", "int16"),
    "GATHER": ("int16",),
    "GATHER_ND": ("int16",),
    "LOG": ("int8", "int16"),
    "MIRROR_PAD": ("int16",),
    "REDUCE_MAX": ("int16",),
    "REDUCE_MIN": ("int16",),
    "RESIZE_BILINEAR": ("int16",),
    "SPACE_TO_BATCH_ND": ("int16",),
    "SQRT": ("int8",),
}
"""Types that an operator refuses though it is there: tried one by one with the package tflite-micro of 2026-10-23."""
_OTHER_TYPE = {
    "int8": "Choose an activation or normalization that needs no such operator.",
    "int16": "Write 'quantization: int8'.",
    "int64": "Let the program that calls the model choose.",
}
_ELSE = "Choose a block or an activation that needs no such operator, or the target 'generic'."


def resolver_method(operator: str) -> str | None:
    """Return the method of `MicroMutableOpResolver` that adds an operator, as in `AddConv2D`; None if it has none."""
    if operator in CUSTOM:
        return f"Add{CUSTOM[operator]}"
    if operator not in BUILTIN:
        return None
    words = "".join(word.capitalize() for word in operator.split("_"))
    return "Add" + _IRREGULAR.get(operator, words.replace("2d", "2D"))


def missing_operators(program: Program) -> Iterator[Misfit]:
    """Yield the operators of a program that LiteRT Micro lacks, or that refuse their types there."""
    for position, operator in enumerate(program.operators):
        if resolver_method(operator.name) is None:
            message = f"LiteRT Micro has no operator {operator.name}"
            yield Misfit(message, REPLACEMENTS.get(operator.name, _ELSE), position)
        tensors = [program.tensors[at] for at in (*operator.inputs, *operator.outputs) if at >= 0]
        refused = set(UNABLE.get(operator.name, ())) & {tensor.dtype for tensor in tensors if not tensor.constant}
        for dtype in sorted(refused):
            yield Misfit(f"LiteRT Micro's {operator.name} does not compute with {dtype}", _OTHER_TYPE[dtype], position)
