"""The Noise protocol framework, revision 34, as far as Fob uses it: XX and IK with 25519, ChaChaPoly, SHA256."""
