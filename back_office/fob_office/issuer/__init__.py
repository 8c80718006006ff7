"""Who says which servers there are: the issuer's key, its certificates and its revocation lists (R3, R9, R27).

No process that serves devices ever loads the issuer's private key: only commands do.
"""
