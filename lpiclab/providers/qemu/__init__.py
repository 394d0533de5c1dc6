"""The embedded provider: QEMU processes of the user's own, no daemon, no root."""
