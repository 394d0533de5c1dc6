"""Labs as data: find them, load them with their words; `labs.lint` checks them for an author."""

from lpiclab.labs.loader import find_lab, lab_folders, list_labs, load, load_texts

__all__ = ["find_lab", "lab_folders", "list_labs", "load", "load_texts"]
