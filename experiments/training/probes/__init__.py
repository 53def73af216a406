"""Measurements inside the networks, one probe per module.

A probe returns a part of the record (``record.Probes``) and does not change the network.
"""
