"""The kinds of key that can be made. Light: the command line imports it too."""

from enum import StrEnum


class KeyType(StrEnum):
    """Algorithm and size, as `fob keys new --type` and the API write them."""

    RSA_2048 = "rsa:2048"
    RSA_3072 = "rsa:3072"
    RSA_4096 = "rsa:4096"
    EC_P256 = "ec:p256"
    EC_P384 = "ec:p384"
    EC_P521 = "ec:p521"
    ED25519 = "ed25519"
