"""PKCS#11 vocabulary: numbers (generated), attribute kinds, mechanism parameters, errors."""
