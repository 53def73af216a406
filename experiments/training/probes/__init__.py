"""What is measured inside the networks, one probe a module.

A probe returns a part of the record (``record.Probes``) and leaves the network as it was.
"""
