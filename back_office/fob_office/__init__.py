"""fob-office: the issuer, the configuration and validation servers, and the meter's data centre."""
