"""Quantization-aware training: the network is trained on with the rounding of int8 in it, then exported with no more.

`train(Trained(loaded, data, graph, weights), export, listener)` gives an `Aware`: the network with fake quantization and
its weights. `Aware.subject(subject, file)` is what `bundle.convert.convert` then converts: the network says all ranges
itself, so nothing is calibrated; parity of the file is measured against `Subject.reference`, the drop against the float
network. `unfit(graph)` yields the nodes that have no int8 form, each as a problem at its recipe line, and
`aware_graph(graph, ...)` is the untrained network for a dry export.
"""
