"""Train the networks of the study and write one JSON record a run.

Data flows one way: ``experiments`` (uses ``models``) -> JSON records -> ``analysis`` -> ``report``.
``record``, ``config``, ``study`` and ``fingerprint`` never import torch, so that the halves after
the record can use them.
"""
