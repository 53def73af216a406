"""From records to statistics, findings, tables and figures. Imports no torch."""
