"""The Cryptoki engine: applications, sessions, objects and operations, with the work split between PC and phone."""
