"""A certificate of this machine's own, for servers of tests that speak TLS on loopback."""

import ipaddress
import ssl
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conformance.clock import SystemClock


def write_certificate(folder: Path, host: str = "127.0.0.1", *, age: timedelta = timedelta()) -> tuple[Path, Path]:
    """Write a certificate that nobody else has signed, and its key; gives their paths.

    Args:
        folder: Where to.
        host: The host that it is for, an IP address or a name.
        age: How long ago its ten days began.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    begins = SystemClock().now() - age - timedelta(hours=1)
    try:
        place: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        place = x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=10))
        .add_extension(x509.SubjectAlternativeName([place]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "certificate-key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


def serving_context(folder: Path, host: str = "127.0.0.1", *, age: timedelta = timedelta()) -> ssl.SSLContext:
    """What a server needs to speak TLS with such a certificate; the arguments are those of `write_certificate`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*write_certificate(folder, host, age=age))
    return context
