"""Imports of spreadsheets: one way in for every kind of table.

An app describes a kind (`kinds.Importer`, for registers `records.RecordImporter`) in its `services/imports.py`; pages
(`core.views.imports`), commands (`command.ImportCommand`), preview, column mapping, jobs and undo are shared.
"""
