"""Disk images: bootstrapped on this host, named by content, verified at each use."""

from lpiclab.images.store import NEEDED_MIB, StoredImage, build, ensure, find, list_images, remove

__all__ = ["NEEDED_MIB", "StoredImage", "build", "ensure", "find", "list_images", "remove"]
