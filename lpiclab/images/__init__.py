"""Disk images: bootstrapped on this host, named by content, verified at each use."""

from lpiclab.images.store import StoredImage, build, ensure, find, list_images, remove

__all__ = ["StoredImage", "build", "ensure", "find", "list_images", "remove"]
