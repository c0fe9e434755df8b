"""Leukobook: deep learning on blood smears, honestly measured. The package that every notebook imports.

Modules import one way, each only from those above it:
``errors``, ``files``, ``project``, ``markup``, ``citations``, ``publication``, ``yamlfile``, ``outputs``, ``scale``,
``tables``, ``processes``, ``images``, ``datasets``, ``splits``, ``preprocessing``, ``features``, ``discriminant``,
``backend``, ``modelfile``, ``modelcard``, ``augmentation``, ``models``, ``backbones``, ``explain``, ``training``,
``metrics``, ``reports``, ``cards``, ``crossvalidation``, ``search``, ``pitfalls``, ``plots``, ``segmentation``,
``classification``, ``prediction``, ``teaching``, ``notebooks``, ``kernels``, ``execution``, ``provenance``,
``profiles``, ``records``, ``runs``, ``results``, ``sweeps``, ``pages``, ``book``, ``cli``.
"""
