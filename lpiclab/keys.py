"""Key pairs for SSH, in the format of OpenSSH."""

from __future__ import annotations

from pathlib import Path

from lpiclab.files import write_private


def make_key_pair(private_file: Path, comment: str) -> str:
    """Make an ed25519 key pair in OpenSSH format unless `private_file` exists; return the public line."""
    public_file = private_file.with_name(private_file.name + ".pub")
    if private_file.exists() and public_file.exists():
        return public_file.read_text().strip()
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - costs 50 ms
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    line = f"{public.decode()} {comment}"
    write_private(private_file, private)
    write_private(public_file, f"{line}\n".encode())
    return line
