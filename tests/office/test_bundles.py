"""Releases that are signed where the release server's keys are, and come to the office in a bundle (C8, C25, R27)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from fob_office.components.building import Bench, open_bench
from fob_office.components.drafts import DAY, Draft
from fob_office.components.importing import import_bundle
from fob_office.components.service import withdraw
from fob_office.components.tables import ReleaseState
from fob_office.directory.role import servers
from fob_office.errors import OperatorError
from fob_office.orders.service import change_order
from fob_office.servers.key_pair import KeyPair
from fob_office.servers.service import identity
from fob_protocol.cose import sign1
from fob_protocol.cose.labels import Label
from fob_protocol.office.bundle import Bundle, seal_bundle_key
from fob_protocol.office.component import Kind
from fob_protocol.office.configuration import Current
from fob_protocol.office.limits import BUNDLE_LIMIT, CONTENT_LIMIT
from fob_protocol.office.message import read
from fob_protocol.office.release import Dependency, Release
from support.octets import octet_flips
from support.office import OfficeScene, office_scene, surroundings
from support.office_device import HARDWARE
from support.office_shop import OPERATOR, granted_versions, module, ordered_device, release

DRAFT = Draft("rates", (1, 0, 0), "Rates", Kind.DATA, b"1 letter 95", (HARDWARE,))


@dataclass
class Workshop:
    """The machine without a network where the release server's keys are."""

    scene: OfficeScene
    keys_file: Path

    def bench(self, office: str = "configuration", issuer: bytes | None = None) -> Bench:
        """With what the office gave out now."""
        with self.scene.office.database.read() as session:
            directory = servers(session).octets()
        now = self.scene.clock.time
        return open_bench(KeyPair.read(self.keys_file), directory, issuer or self.scene.issuer, office, now)

    def build(self, draft: Draft = DRAFT, seed: int = 1) -> bytes:
        return self.bench().build(draft, surroundings(self.scene.clock, seed))[1]

    def take(self, bundle: bytes, state: ReleaseState = ReleaseState.AVAILABLE) -> Release:
        return import_bundle(self.scene.office, bundle, OPERATOR, state)

    def refusal(self, bundle: bytes) -> str:
        """Why the office does not take it."""
        with pytest.raises(OperatorError) as refused:
            self.take(bundle)
        return refused.value.why


@pytest.fixture
def shop(scene: OfficeScene, tmp_path: Path) -> Workshop:
    """The keys were changed, and went away: the office cannot sign a release."""
    file = tmp_path / "release.pem"
    scene.issuing().change_keys("release", keys_file=file)
    return Workshop(scene, file)


@pytest.fixture
def lite(sqlite_scene: OfficeScene, tmp_path: Path) -> Workshop:
    """For what has nothing to do with the kind of database."""
    file = tmp_path / "release.pem"
    sqlite_scene.issuing().change_keys("release", keys_file=file)
    return Workshop(sqlite_scene, file)


@pytest.mark.clause("C8", "C25")
def test_a_release_that_was_signed_elsewhere_reaches_a_device(shop: Workshop) -> None:
    with pytest.raises(OperatorError, match="kept elsewhere"):
        release(shop.scene, "rates")
    assert shop.take(shop.build()).id == "rates"
    table = replace(DRAFT, id="view", kind=Kind.MODULE, commands=("XVIEW",), content=module(size=20_000))
    shop.take(shop.build(table))
    device = ordered_device(shop.scene, "rates", "view")
    device.configure()
    assert device.contents == {"rates": b"1 letter 95", "view": module(size=20_000)}


@pytest.mark.clause("C8")
def test_a_bundle_shows_neither_content_nor_key(lite: Workshop) -> None:
    made, bundle = lite.bench().build(DRAFT, surroundings(lite.scene.clock))
    assert DRAFT.content not in bundle
    assert made.key not in bundle


@pytest.mark.clause("C25")
def test_no_octet_of_a_bundle_can_be_changed(lite: Workshop) -> None:
    bundle = lite.build()
    for flipped in octet_flips(bundle):
        assert lite.refusal(flipped)
    assert lite.refusal(bundle + b"\0")
    assert lite.refusal(b"")
    lite.take(bundle)


def test_a_bundle_is_imported_once(shop: Workshop) -> None:
    bundle = shop.build()
    shop.take(bundle)
    assert "a version is released once" in shop.refusal(bundle)
    assert "a version is released once" in shop.refusal(shop.build(seed=2))


def test_what_is_staged_is_for_a_rollout(shop: Workshop) -> None:
    shop.take(shop.build(), ReleaseState.STAGED)
    assert isinstance(ordered_device(shop.scene).ask()[0], Current)
    shop.take(shop.build(replace(DRAFT, version=(1, 0, 1))))
    device = ordered_device(shop.scene, "rates", serial="M-0002")
    assert granted_versions(device.ask()[0]) == {"rates": (1, 0, 1)}


def signed_by_another(shop: Workshop, bundle: Bundle) -> Bundle:
    """A server that may not release: the configuration server's own key, which the office's machine has."""
    with shop.scene.office.database.read() as session:
        key = identity(session, shop.scene.office.sealer, "configuration").signing_key
    payload = sign1.unverified_payload(bundle.release)
    return msgspec.structs.replace(bundle, release=sign1.sign(key, Label.RELEASE, [], payload))


def signed_by_nobody(shop: Workshop, bundle: Bundle) -> Bundle:
    key = KeyPair.made(surroundings(shop.scene.clock, 99)).signing
    payload = sign1.unverified_payload(bundle.release)
    return msgspec.structs.replace(bundle, release=sign1.sign(key, Label.RELEASE, [], payload))


def another_key(shop: Workshop, bundle: Bundle) -> Bundle:
    """Anybody can seal to an office: what they seal does not open the content."""
    release = read(Release, sign1.unverified_payload(bundle.release))
    office = shop.scene.certificate("configuration").sealing_key
    return msgspec.structs.replace(bundle, key=seal_bundle_key(bytes(32), office, release))


def key_for_another_server(shop: Workshop, bundle: Bundle) -> Bundle:
    release = read(Release, sign1.unverified_payload(bundle.release))
    other = shop.scene.certificate("registration").sealing_key
    return msgspec.structs.replace(bundle, key=seal_bundle_key(bytes(32), other, release))


def key_of_another_release(shop: Workshop, bundle: Bundle) -> Bundle:
    other = read(Bundle, shop.build(replace(DRAFT, version=(9, 0, 0))))
    return msgspec.structs.replace(bundle, key=other.key)


def content_of_another(shop: Workshop, bundle: Bundle) -> Bundle:
    other = read(Bundle, shop.build(replace(DRAFT, version=(9, 0, 0))))
    return msgspec.structs.replace(bundle, content=other.content)


@pytest.mark.clause("C8", "C25")
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (signed_by_another, "may not release components"),
        (signed_by_nobody, "no server of this office has signed it"),
        (another_key, "does not open"),
        (key_for_another_server, "not sealed to a configuration server"),
        (key_of_another_release, "not sealed to this office for this release"),
        (content_of_another, "not what was signed"),
    ],
)
def test_a_bundle_that_was_put_together(lite: Workshop, spoil: Callable[[Workshop, Bundle], Bundle], why: str) -> None:
    bundle = lite.build()
    assert why in lite.refusal(spoil(lite, read(Bundle, bundle)).octets())
    lite.take(bundle)


@pytest.mark.clause("C25")
def test_a_bundle_of_another_issuer_s_office(lite: Workshop, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir(mode=0o700)
    with office_scene(tmp_path / "other", seed=5) as scene:
        scene.issuing().change_keys("release", keys_file=tmp_path / "other.pem")
        other = Workshop(scene, tmp_path / "other.pem")
        assert "no server of this office" in lite.refusal(other.build())
        with pytest.raises(OperatorError, match="not signed by the issuer"):
            other.bench(issuer=lite.scene.issuer)
        with pytest.raises(OperatorError, match="no server has these keys"):
            Workshop(lite.scene, other.keys_file).bench()


def test_what_is_over_is_not_imported(lite: Workshop) -> None:
    short = lite.build(replace(DRAFT, days=1))
    long = lite.build(replace(DRAFT, version=(1, 0, 1), days=4000))
    lite.scene.clock.pass_by(DAY + 1)
    assert lite.refusal(short) == "rates 1.0.0 is over"
    lite.scene.clock.pass_by(1500 * DAY)
    assert lite.refusal(long) == "the certificate of release is over"


def test_a_directory_that_is_over_or_lacks_the_office_builds_nothing(lite: Workshop) -> None:
    with pytest.raises(OperatorError, match="no server registry"):
        lite.bench("registry")
    with pytest.raises(OperatorError, match="other-usage"):
        lite.bench("registration")
    lite.scene.clock.pass_by(500 * DAY)
    with pytest.raises(OperatorError, match="list-expired"):
        lite.bench()


@pytest.mark.clause("R27")
def test_after_a_change_of_keys_what_is_there_is_built_and_signed_anew(shop: Workshop, tmp_path: Path) -> None:
    before = shop.build()
    shop.take(before)
    withheld = replace(DRAFT, version=(1, 0, 1))
    late = shop.build(withheld)
    shop.take(shop.build(replace(DRAFT, id="slogan")))
    withdraw(shop.scene.office, "slogan", (1, 0, 0), OPERATOR)
    device = ordered_device(shop.scene, "rates")
    new = tmp_path / "next.pem"
    shop.scene.issuing().change_keys("release", keys_file=new)
    shop.scene.issuing().revoke("release", everything=False, anyway=True)
    assert isinstance(device.ask()[0], Current)
    assert "no server of this office" in shop.refusal(late)
    with pytest.raises(OperatorError, match="no server has these keys"):
        shop.build()
    shop = Workshop(shop.scene, new)
    assert "there is another rates 1.0.0" in shop.refusal(shop.build(replace(DRAFT, content=b"1 letter 98")))
    shop.take(shop.build(seed=3))
    assert "a version is released once" in shop.refusal(shop.build(seed=4))
    shop.take(shop.build(replace(DRAFT, id="slogan")))
    device.configure()
    assert device.contents == {"rates": b"1 letter 95"}
    other = ordered_device(shop.scene, serial="M-0002")
    with pytest.raises(OperatorError, match="slogan"):
        change_order(shop.scene.office, other.serial, ["slogan"], OPERATOR)


@pytest.mark.clause("C16")
def test_a_bundle_keeps_the_rules_of_every_release(lite: Workshop) -> None:
    add = replace(DRAFT, kind=Kind.MODULE, commands=("XRATE",), content=module())
    lite.take(lite.build(add))
    assert "is a command of rates" in lite.refusal(lite.build(replace(add, id="zones")))
    needing = replace(DRAFT, id="zones", dependencies=(Dependency("table", (1, 0, 0)),))
    assert "there is no table" in lite.refusal(lite.build(needing))
    with pytest.raises(OperatorError, match="data has no commands"):
        lite.build(replace(DRAFT, commands=("XRATE",)))


def test_the_largest_component_fits_and_nothing_larger_is_read(lite: Workshop) -> None:
    largest = lite.build(replace(DRAFT, content=bytes(CONTENT_LIMIT)))
    assert len(largest) <= BUNDLE_LIMIT
    lite.take(largest)
    assert "at most" in lite.refusal(bytes(BUNDLE_LIMIT + 1))


@pytest.mark.clause("C17")
def test_a_module_that_no_device_would_run_is_not_imported(
    lite: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Also when whoever built it did not look."""
    with monkeypatch.context() as patched:
        patched.setattr("fob_office.components.drafts.wrong_with", lambda content, has_commands: "")
        garbage = lite.build(replace(DRAFT, kind=Kind.MODULE))
    assert lite.refusal(garbage) == "that is no WebAssembly module"
