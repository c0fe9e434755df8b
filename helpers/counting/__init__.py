"""From whole fields to a differential count: find white blood cells, name them, count them per patient.

Modules, each importing only from those before it: ``scale`` (µm per pixel), ``network`` (centre-point network),
``patches`` and ``training``, ``tiles`` and ``detection``, ``classical`` (a baseline without training), ``saving``,
``preparation`` (a detector from datasets with boxes), ``cells``, ``films`` (cells of a user's fields),
``corrections``, ``differential``, ``report`` and ``writing``.
"""
