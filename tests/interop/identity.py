"""What PyPI `sd-jwt` and `pyhpke` make of what we issue, present and seal.

Reads one JSON object on standard input and prints one: a verified payload, or an opened key. Positives only: the
library is laxer than RFC 9901, so its refusals and acceptances prove nothing about what must be refused.
"""

import json
import sys

import sd_jwt.verifier
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from jwcrypto.jwk import JWK
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey

SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)


def verify(question):
    """The payload of a presentation, after issuer's and holder's signatures."""
    # It would take ES256 only from holders.
    sd_jwt.verifier.DEFAULT_SIGNING_ALG = question["algorithm"]
    issuer = JWK.from_json(json.dumps(question["issuer"]))
    verifier = sd_jwt.verifier.SDJWTVerifier(
        question["presentation"], lambda name, header: issuer, question["audience"], question["nonce"]
    )
    return verifier.get_verified_payload()


def open_grant(question):
    """The key in a grant."""
    secret = X25519PrivateKey.from_private_bytes(bytes.fromhex(question["secret"]))
    recipient = SUITE.create_recipient_context(
        bytes.fromhex(question["encapsulated"]), KEMKey.from_pyca_cryptography_key(secret), question["info"].encode()
    )
    return recipient.open(bytes.fromhex(question["sealed"]), bytes.fromhex(question["terms"])).hex()


question = json.load(sys.stdin)
print(json.dumps({"verify": verify, "open": open_grant}[question["what"]](question)))
