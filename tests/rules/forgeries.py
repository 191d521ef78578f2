"""Tokens that nobody was given: each kind of forgery, made out of a token that counts."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import jwt

from security.tokens import key_id
from tests.conftest import SECRET
from tests.rules.callers import claims_in, reissued

OTHER_KEY = SECRET[::-1]
HS256 = {"alg": "HS256", "typ": "JWT", "kid": key_id(SECRET)}
LATER = 4_102_444_800
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(frozen=True)
class Stolen:
    """What a forger may have: a token that counts where it is sent, and what is known of others."""

    token: str
    other_token: str
    """The same kind of token, of another account."""

    @property
    def claims(self) -> dict[str, Any]:
        return claims_in(self.token)

    @property
    def others_claims(self) -> dict[str, Any]:
        return claims_in(self.other_token)

    @property
    def parts(self) -> list[str]:
        return self.token.split(".")


Forge = Callable[[Stolen], str]


def base64url(content: bytes) -> str:
    """Encode as the parts of tokens are (RFC 7515, section 2)."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(header: object, content: object, *, key: bytes = SECRET.encode(), by: str = "sha256") -> str:
    """Sign any header and any content, as no library would; a text is taken for the JSON itself."""
    texts = [part if isinstance(part, str) else json.dumps(part) for part in (header, content)]
    parts = ".".join(base64url(text.encode()) for text in texts)
    return f"{parts}.{base64url(hmac.digest(key, parts.encode(), by))}"


def with_header(*, key: bytes = SECRET.encode(), by: str = "sha256", **members: object) -> Forge:
    """Sign the claims of a good token anew, under another header."""
    return lambda stolen: signed(HS256 | members, stolen.claims, key=key, by=by)


def unsigned(algorithm: object) -> Forge:
    """Say that there is no signature."""
    return lambda stolen: signed(HS256 | {"alg": algorithm}, stolen.claims).rpartition(".")[0] + "."


def with_claims(**claims: object) -> Forge:
    """Sign other claims with the right key, as the server would never do."""
    return lambda stolen: signed(HS256, stolen.claims | claims)


def without(claim: str) -> Forge:
    return lambda stolen: signed(HS256, {name: value for name, value in stolen.claims.items() if name != claim})


def with_number(claim: str, number: str) -> Forge:
    """Write a number that Python's own JSON would not write."""
    return lambda stolen: signed(HS256, json.dumps(stolen.claims | {claim: "?"}).replace('"?"', number))


def changed(**claims: object) -> Forge:
    """Change claims under the signature of what stood there before."""

    def forge(stolen: Stolen) -> str:
        header, _, signature = stolen.parts
        return f"{header}.{base64url(json.dumps(stolen.claims | claims).encode())}.{signature}"

    return forge


def with_second_subject(stolen: Stolen) -> str:
    """Name a second account beside the first, under the old signature."""
    header, _, signature = stolen.parts
    content = json.dumps(stolen.claims)[:-1] + f', "sub": "{stolen.others_claims["sub"]}"}}'
    return f"{header}.{base64url(content.encode())}.{signature}"


def with_own_key(stolen: Stolen) -> str:
    """Bring the key along (RFC 7515, section 4.1.3)."""
    key = b"a-key-that-the-forger-brings-along-0123456789"
    header = HS256 | {"jwk": {"kty": "oct", "alg": "HS256", "k": base64url(key)}}
    return signed(header, stolen.claims, key=key)


def with_swapped_header(stolen: Stolen) -> str:
    other = jwt.encode(stolen.claims, SECRET * 2, "HS512", {"kid": key_id(SECRET)})
    return ".".join([other.split(".")[0], *stolen.parts[1:]])


def respelled(change: Callable[[str], str]) -> Forge:
    """Write the signature in another way that decodes to the same bytes."""

    def forge(stolen: Stolen) -> str:
        signature = stolen.parts[2]
        return stolen.token.removesuffix(signature) + change(signature)

    return forge


def in_standard_alphabet(stolen: Stolen) -> str:
    """Write the signature as Base64 for other purposes is written."""
    token = stolen.token
    while not {"-", "_"} & set(token.rpartition(".")[2]):
        token = reissued(stolen.token)
    body, _, signature = token.rpartition(".")
    return f"{body}.{signature.replace('-', '+').replace('_', '/')}"


def with_unused_bit(signature: str) -> str:
    """Set the last of the two bits that 43 characters have more than 32 bytes."""
    return signature[:-1] + ALPHABET[ALPHABET.index(signature[-1]) ^ 1]


def as_json(stolen: Stolen) -> str:
    """Write the token in the other serialization (RFC 7515, section 7.2)."""
    return json.dumps(dict(zip(("protected", "payload", "signature"), stolen.parts, strict=True)))


NOT_SIGNED: dict[str, Forge] = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg NONE": unsigned("NONE"),
    "alg nOnE": unsigned("nOnE"),
    "alg none, and a signature": with_header(alg="none"),
    "alg empty": unsigned(""),
    "no signature": lambda stolen: ".".join([*stolen.parts[:2], ""]),
    "two parts": lambda stolen: ".".join(stolen.parts[:2]),
    "half a signature": lambda stolen: stolen.token[:-22],
    "the signature of another token": lambda stolen: ".".join([*stolen.parts[:2], stolen.other_token.split(".")[2]]),
    "another key": with_header(key=OTHER_KEY.encode()),
    "another key that it names": with_header(kid=key_id(OTHER_KEY), key=OTHER_KEY.encode()),
    "an empty key": with_header(key=b""),
    "a key brought along": with_own_key,
    "changed: the account": lambda stolen: changed(sub=stolen.others_claims["sub"])(stolen),
    "changed: the expiry": changed(exp=LATER),
    "changed: the kind": changed(type="refresh", fresh=True),
    "a second account": with_second_subject,
}
"""What has no signature, or not one by the key of the server."""

OF_ANOTHER_ALGORITHM: dict[str, Forge] = {
    "HS384 with the right key": with_header(alg="HS384", by="sha384"),
    "HS512 with the right key": with_header(alg="HS512", by="sha512"),
    "HS512 said of HS256": with_header(alg="HS512"),
    "RS256 said of the key": with_header(alg="RS256"),
    "ES256 said of the key": with_header(alg="ES256"),
    "alg in lower case": with_header(alg="hs256"),
    "alg unknown": with_header(alg="HS257"),
    "alg a list": with_header(alg=["HS256"]),
    "alg missing": lambda stolen: signed({"typ": "JWT", "kid": key_id(SECRET)}, stolen.claims),
    "a header of another token": with_swapped_header,
    "kid missing": lambda stolen: signed({"alg": "HS256", "typ": "JWT"}, stolen.claims),
    "kid of no key": with_header(kid=key_id(OTHER_KEY)),
    "kid empty": with_header(kid=""),
    "kid null": with_header(kid=None),
    "kid a list": with_header(kid=[key_id(SECRET)]),
    "kid an object": with_header(kid={}),
    "kid a path": with_header(kid="../../../../dev/null", key=b""),
    "kid a query": with_header(kid="' UNION SELECT 'key' --", key=b"key"),
    "kid an address": with_header(kid="http://127.0.0.1:1/key", key=b"key"),
    "kid a number": with_header(kid=1),
    "jku": with_header(jku="http://127.0.0.1:1/keys", key=b"key"),
    "x5u": with_header(x5u="http://127.0.0.1:1/certificate", key=b"key"),
    "crit": with_header(crit=["exp"]),
    "b64 false": with_header(b64=False, crit=["b64"]),
    "a header that is a list": lambda stolen: signed([HS256], stolen.claims),
    "a header 10,000 levels deep": lambda stolen: signed("[" * 10_000, stolen.claims),
    "a header of 5,000 digits": lambda stolen: signed("9" * 5_000, stolen.claims),
}
"""What tells the server how to check it."""

OF_OTHER_CLAIMS: dict[str, Forge] = {
    "expired": with_claims(exp=1),
    "exp negative": with_claims(exp=-(2**70)),
    "exp past all dates": with_claims(exp=2**70),
    "exp a fraction of the first second": with_claims(exp=0.5),
    "exp a text": with_claims(exp="soon"),
    "exp a list": with_claims(exp=[]),
    "exp null": with_claims(exp=None),
    "exp 1e400": with_number("exp", "1e400"),
    "exp Infinity": with_number("exp", "Infinity"),
    "exp NaN": with_number("exp", "NaN"),
    "not before later": with_claims(nbf=LATER),
    "not before a word": with_claims(nbf="later"),
    "iss of somebody else": with_claims(iss="somebody"),
    "aud of somebody else": with_claims(aud="somebody"),
    "aud empty": with_claims(aud=[]),
    "type unknown": with_claims(type="master"),
    "type a list": with_claims(type=["access", "refresh"]),
    "type null": with_claims(type=None),
    "sub of another account": lambda stolen: with_claims(sub=stolen.others_claims["sub"])(stolen),
    "sub a number": with_claims(sub=1),
    "sub a number in a text": with_claims(sub="1"),
    "sub a list": with_claims(sub=["1"]),
    "sub empty": with_claims(sub=""),
    "jti a number": with_claims(jti=1),
    "jti a word": with_claims(jti="first"),
    "sid of another account": lambda stolen: with_claims(sid=stolen.others_claims["sid"])(stolen),
    "sid of no login": with_claims(sid=str(uuid4())),
    "sid a word": with_claims(sid="first"),
    "sid an object": with_claims(sid={}),
    **{f"{claim} missing": without(claim) for claim in ("sub", "type", "jti", "sid", "iat", "exp", "iss", "aud")},
    "claims that are a list": lambda stolen: signed(HS256, [stolen.claims]),
    "claims that are a token": lambda stolen: signed(HS256 | {"cty": "JWT"}, json.dumps(stolen.token)),
}
"""What the right key has signed, and no version of this server would have."""

OF_ANOTHER_FORM: dict[str, Forge] = {
    "five parts": lambda stolen: ".".join([*stolen.parts, "AAAA", "AAAA"]),
    "JSON serialization": as_json,
    "two tokens": lambda stolen: f"{stolen.token} {stolen.token}",
    "two tokens with a comma": lambda stolen: f"{stolen.token}, {stolen.other_token}",
    "the scheme twice": lambda stolen: f"Bearer {stolen.token}",
    "in quotes": lambda stolen: f'"{stolen.token}"',
    "a space within": lambda stolen: stolen.token.replace(".", ". ", 1),
    "a tab within": lambda stolen: stolen.token.replace(".", "\t.", 1),
    "a no-break space before": lambda stolen: f"\xa0{stolen.token}",
    "a letter that is not ASCII": lambda stolen: f"{stolen.token}\xe9",
    "NUL at the end": lambda stolen: f"{stolen.token}\0",
    "a control character within": lambda stolen: stolen.token.replace(".", "\x01.", 1),
    "dots in percent": lambda stolen: stolen.token.replace(".", "%2E"),
    "60 KiB": lambda stolen: stolen.token + "A" * (60 * 1024 - len(stolen.token)),
    "20,000 parts": lambda _: ".A" * 20_000,
    "padding": respelled(lambda signature: f"{signature}="),
    "characters that are skipped": respelled(lambda signature: f"{signature[:20]}!!!!{signature[20:]}"),
    "the other alphabet": in_standard_alphabet,
    "a bit that is not used": respelled(with_unused_bit),
    "the null of other languages": lambda _: "null",
}
"""What is no token, or not in the one form that tokens have."""

FORGERIES = NOT_SIGNED | OF_ANOTHER_ALGORITHM | OF_OTHER_CLAIMS | OF_ANOTHER_FORM
