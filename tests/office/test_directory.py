"""Service `directory`: a device learns which servers there are, and from whom."""

import pytest

from fob_protocol.office.certificate import Usage, read_certificate
from fob_protocol.office.directory import ListServers, Servers
from fob_protocol.office.envelope import Service
from fob_protocol.office.message import read
from fob_protocol.office.trust import Trust
from support.office import NOW, OfficeScene


def listed(scene: OfficeScene) -> Servers:
    return read(Servers, scene.ask(Service.DIRECTORY, "configuration", ListServers()).body)


@pytest.mark.clause("R3", "R7")
def test_every_server_has_a_certificate_of_the_issuer(scene: OfficeScene) -> None:
    trust = Trust(scene.issuer, NOW).with_list(listed(scene).revocations)
    usages = {
        (certificate.server, usage)
        for signed in listed(scene).certificates
        for certificate in [read_certificate(scene.issuer, signed)]
        for usage in certificate.usages
        if trust.check(signed, certificate.server, usage)
    }
    assert usages == {
        ("registration", Usage.REGISTRATION),
        ("registration", Usage.ENTITLEMENT),
        ("configuration", Usage.CONFIGURATION),
        ("release", Usage.RELEASE),
        ("integrity", Usage.DISTRIBUTION),
        ("integrity", Usage.VALIDATION),
    }


def test_a_certificate_belongs_to_the_times_and_the_epoch_that_it_says(scene: OfficeScene) -> None:
    certificate = scene.certificate("registration")
    assert (certificate.epoch, certificate.not_before <= NOW <= certificate.not_after) == (1, True)
