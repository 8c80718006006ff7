"""One office's signers and one device for all tests of components: nobody changes them."""

import pytest

from fob_device.components.equipment import Equipment
from support.component_device import equipped
from support.office_signers import OfficeSigners


@pytest.fixture(scope="session")
def signers() -> OfficeSigners:
    return OfficeSigners()


@pytest.fixture(scope="session")
def device(signers: OfficeSigners) -> Equipment:
    return equipped(signers)
