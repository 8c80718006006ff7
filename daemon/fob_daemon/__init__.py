"""fobd: the PC side. Every PKCS#11 program finds the phone's keys here."""
