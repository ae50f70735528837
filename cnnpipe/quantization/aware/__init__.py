"""Quantization-aware training: a network is trained on with the rounding of int8 in it, then exported with no more.

The converted network says all ranges itself, so nothing is calibrated in the conversion. What it says is what the file
must say, step for step: parity is measured against it (`Subject.reference`), the drop against the float network.
"""
