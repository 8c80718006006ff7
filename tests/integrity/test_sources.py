"""What is measured: parts that are joined, and an installation as one octet string (section 7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.integrity.installation import File, Installation, InstallationError
from fob_protocol.integrity.limits import FILE_NAME_LIMIT, FILES_LIMIT, INSTALLATION_LIMIT, PIECE_SIZE
from fob_protocol.integrity.source import Joined, Octets, Source, Stored
from integrity import second_measure as second

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)


def reads_as(source: Source, octets: bytes, data: st.DataObject) -> None:
    """It has these octets, also piece by piece."""
    assert source.length == len(octets)
    assert source.read(0, len(octets)) == octets
    at = data.draw(st.integers(0, len(octets)))
    size = data.draw(st.integers(0, len(octets) - at))
    assert source.read(at, size) == octets[at : at + size]


def file(name: str, content: bytes = b"") -> File:
    return File(name, len(content), Octets(content).read)


@given(parts=st.lists(st.binary(max_size=9), max_size=5), data=st.data())
def test_joined_sources_read_as_their_octets(parts: list[bytes], data: st.DataObject) -> None:
    source: Source = Octets(b"")
    for part in reversed(parts):
        source = Joined(Octets(part), source)
    reads_as(source, b"".join(parts), data)


@pytest.mark.clause("V5")
@given(contents=st.dictionaries(NAMES, st.binary(max_size=9), max_size=5), data=st.data())
def test_an_installation_is_its_files_in_the_order_of_their_names(
    contents: dict[str, bytes], data: st.DataObject
) -> None:
    """In which order they were found does not matter."""
    files = [file(name, content) for name, content in contents.items()]
    expected = b"".join(
        second.array(second.text(name), second.number(0, len(content))) + content
        for name, content in sorted(contents.items(), key=lambda item: item[0].encode("utf-8"))
    )
    installation = Installation(data.draw(st.permutations(files)))
    reads_as(installation, expected, data)
    assert installation.digest() == Installation(files).digest()


@given(contents=st.dictionaries(NAMES, st.binary(max_size=9), min_size=1, max_size=4), data=st.data())
def test_each_name_and_content_counts(contents: dict[str, bytes], data: st.DataObject) -> None:
    """One that is left out, renamed, longer; one whose octets go over to the next."""
    name = data.draw(st.sampled_from(sorted(contents)))
    without = {other: content for other, content in contents.items() if other != name}
    cases = [
        contents,
        without,
        without | {f"{name}2345": contents[name]},
        contents | {name: contents[name] + b"\0"},
        contents | {f"{name}2345": b""},
    ]
    digests = {Installation([file(*item) for item in case.items()]).digest() for case in cases}
    assert len(digests) == len(cases)


def test_a_large_installation_is_digested_in_pieces() -> None:
    asked = []

    def read(at: int, size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    Installation([File("large", 2 * PIECE_SIZE, read)]).digest()
    assert (sum(asked), max(asked) <= PIECE_SIZE) == (2 * PIECE_SIZE, True)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ([file("a"), file("b"), file("a")], "a is there twice"),
        ([file("")], "1 to 512 characters"),
        ([file("a" * (FILE_NAME_LIMIT + 1))], "1 to 512 characters"),
        ([file("a\udc80")], "no UTF-8: 'a.udc80'"),
        ([File("a", INSTALLATION_LIMIT + 1, Octets(b"").read)], "more than 268435456"),
        ([file(str(number)) for number in range(FILES_LIMIT + 1)], "more than 10000"),
    ],
    ids=["twice", "no name", "long name", "no UTF-8", "too large", "too many"],
)
def test_what_is_no_installation(files: list[File], why: str) -> None:
    with pytest.raises(InstallationError, match=why):
        Installation(files)


def a_short_reader(at: int, size: int) -> bytes:
    return bytes(size - 1)


def test_what_became_shorter_is_not_measured() -> None:
    with pytest.raises(EOFError, match="4 octets at 0, not 5"):
        Stored(5, a_short_reader).read(0, 5)
    with pytest.raises(InstallationError, match="a is shorter than it was"):
        Installation([File("a", 5, a_short_reader)]).digest()
