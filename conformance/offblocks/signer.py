"""Digests and signs requests to OffBlocks, in the form that a server wants."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from conformance.clock import Clock
from conformance.ids import Ids, fresh_seed
from conformance.standards.digest_fields import content_digest
from conformance.standards.message_signatures import ECDSA_P384_SHA384, PrivateKey, present, sign

LABEL = "sig"
"""The label of a signature, which may be any (RFC 9421, section 4.1)."""
DEFAULT_COMPONENTS = (
    "@method",
    "@path",
    "@query",
    "content-digest",
    "content-type",
    "idempotency-key",
    "authorization",
)
"""What a signature covers, as far as the request has it; no visible document says what it must."""
_VERSIONED = re.compile(r"(?P<origin>https?://[^/?#]*)(?:/[^?#]*?)?(?P<rest>/v1(?:[/?#].*)?)")
UNDECLARED = "none"
"""The setting of the algorithm by which a signature does not name it."""


@dataclass(frozen=True)
class SignatureForm:
    """What a server wants of digests and signatures, where no document says it.

    Args:
        components: What a signature covers, as far as the request has it.
        label: The label of signatures; None for the usual one.
        declares_algorithm: Whether a signature names its algorithm.
        lifetime: How long after its making a signature expires; None if it does not say.
        has_nonce: Whether each signature has a nonce.
        tag: The application that signatures are for; None for none.
        digest_algorithm: The algorithm of digests.
        base_path: What the server has before ``/v1`` in the place of the path of the base URL, so that signatures cover
            that; None if it sees the path as it was sent.
    """

    components: tuple[str, ...] = DEFAULT_COMPONENTS
    label: str | None = None
    declares_algorithm: bool = True
    lifetime: timedelta | None = None
    has_nonce: bool = False
    tag: str | None = None
    digest_algorithm: str = "sha-256"
    base_path: str | None = None

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> Self:
        """The form that settings ask for.

        Args:
            settings: The settings by name; those that are not there are the usual ones.
        """
        expires, base_path = settings.get("signature_expires"), settings.get("base_path")
        return cls(
            components=tuple(settings.get("components", "").split()) or DEFAULT_COMPONENTS,
            label=settings.get("signature_label"),
            declares_algorithm=settings.get("signature_alg") != UNDECLARED,
            lifetime=timedelta(seconds=int(expires)) if expires else None,
            has_nonce="signature_nonce" in settings,
            tag=settings.get("signature_tag"),
            digest_algorithm=settings.get("digest_algorithm", "sha-256"),
            base_path=base_path.rstrip("/") if base_path else None,
        )

    def seen_url(self, url: str) -> str:
        """A URL as the server sees it, behind what takes its own path off or puts it on."""
        parts = _VERSIONED.fullmatch(url)
        return url if self.base_path is None or not parts else f"{parts['origin']}{self.base_path}{parts['rest']}"


class RequestSigner(httpx.Auth):
    """Digests and signs a request as the last thing before it is sent (RFC 9530, RFC 9421).

    Args:
        key: The private key.
        key_id: Its id at the API.
        clock: What tells the time of signing.
        components: What to cover, as far as the request has it; None for what the form covers.
        form: What else the server wants.
        label: The label of signatures, unless the form has one.
        deterministic: Whether equal requests of one second get equal signatures, which a server may take for replays.
        ids: Where nonces come from.
    """

    requires_request_body = True

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey,
        key_id: str,
        clock: Clock,
        components: Sequence[str] | None = None,
        *,
        form: SignatureForm | None = None,
        label: str = LABEL,
        deterministic: bool = False,
        ids: Ids | None = None,
    ) -> None:
        self.deterministic = deterministic
        self.key = key
        self.key_id = key_id
        self.clock = clock
        self.form = form or SignatureForm()
        self.components = tuple(self.form.components if components is None else components)
        self.label = self.form.label or label
        self._nonces = ids

    def with_key(self, key: ec.EllipticCurvePrivateKey, key_id: str) -> "RequestSigner":
        """One that signs in the same form with another key."""
        return RequestSigner(
            key,
            key_id,
            self.clock,
            self.components,
            form=self.form,
            label=self.label,
            deterministic=self.deterministic,
            ids=self._nonces,
        )

    def auth_flow(self, request: httpx.Request) -> Any:
        """Add the digest and the signature to `request`."""
        self.digest(request)
        self.sign(request)
        yield request

    def digest(self, request: httpx.Request) -> None:
        """Add Content-Digest if there is a body."""
        if request.content:
            request.headers["Content-Digest"] = content_digest(request.content, self.form.digest_algorithm)

    def sign(
        self,
        request: httpx.Request,
        *,
        key: PrivateKey | None = None,
        components: Sequence[str] | None = None,
        algorithm: str = ECDSA_P384_SHA384,
        label: str | None = None,
        shift: timedelta = timedelta(),
    ) -> None:
        """Add Signature-Input and Signature.

        Args:
            request: The request.
            key: The key, if not its own.
            components: What to cover, if not what it usually does.
            algorithm: The algorithm.
            label: The label, if not the usual one.
            shift: By how much the time of making is to differ from the present.
        """
        url, headers = self.form.seen_url(str(request.url)), request.headers.multi_items()
        chosen = self.components if components is None else components
        created = self.clock.now() + shift
        request.headers.update(
            sign(
                request.method,
                url,
                headers,
                key=self.key if key is None else key,
                key_id=self.key_id,
                components=present(chosen, request.method, url, headers),
                created=created,
                algorithm=algorithm,
                label=label or self.label,
                expires=created + self.form.lifetime if self.form.lifetime else None,
                nonce=self._new_nonce() if self.form.has_nonce else None,
                tag=self.form.tag,
                declare_algorithm=self.form.declares_algorithm,
                deterministic=self.deterministic,
            )
        )

    def _new_nonce(self) -> str:
        self._nonces = self._nonces or Ids(fresh_seed())
        return self._nonces.alphanumeric(16)
