"""What an object is for: no object of one label passes for one of another (docs/office-protocol.md, section 1)."""

from enum import StrEnum


class Label(StrEnum):
    """The first element of the external associated data of every signature and seal."""

    SERVER_CERTIFICATE = "fob/1 server certificate"
    REVOCATION_LIST = "fob/1 revocation list"
    QUESTION = "fob/1 question"
    ANSWER = "fob/1 answer"
    REGISTRATION_TEMPLATE = "fob/1 registration template"
    REGISTRATION_REQUEST = "fob/1 registration request"
    REGISTRATION_REPLY = "fob/1 registration reply"
    SESSION_MESSAGE = "fob/1 session message"
    ENTITLEMENTS = "fob/1 entitlements"
    FACTORY_RECORD = "fob/1 factory record"
    CONFIGURATION_REQUEST = "fob/1 configuration request"
    IDENTIFIER = "fob/1 identifier"
    DEVICE_MANIFEST = "fob/1 device manifest"
    RELEASE = "fob/1 release"
    CONTENT = "fob/1 content"
    CONTENT_KEY = "fob/1 content key"
    REPORT = "fob/1 report"
    BUNDLE_KEY = "fob/1 bundle key"
    COPY_RECORD = "fob/1 copy record"
    COPY_REQUEST = "fob/1 copy request"
    ENROLMENT = "fob/1 enrolment"
    EVIDENCE = "fob/1 evidence"
    VERDICT = "fob/1 verdict"
    CLONE_PROOF = "fob/1 clone proof"
    PRESENTATION = "fob/1 presentation"
