"""Train the networks of the study and write one JSON record a run.

Data flows one way: ``experiments`` (uses ``models``) -> JSON records -> ``analysis`` -> ``report``.
``record``, ``config``, ``study`` and ``versions`` never import torch, so that analysis can use
them.
"""
