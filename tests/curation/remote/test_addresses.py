"""Which URLs a prefix allows, whatever way they are written, and what is shown of them."""

from __future__ import annotations

import pytest

import curation
from curation.remote.addresses import allowed_by, is_remote, joined, parse_address, prefix_for, shown, store_of


@pytest.mark.parametrize(
    ("prefix", "url"),
    [
        ("https://shop.com", "https://shop.com/1.jpg"),
        ("https://shop.com/", "HTTPS://Shop.COM:443/a/1.jpg"),
        ("https://shop.com:443/a", "https://shop.com/a/1.jpg?w=500#top"),
        ("https://shop.com/our photos/", "https://shop.com/our%20photos/1.jpg"),
        ("https://shop.com./", "https://shop.com/1.jpg"),
        ("https://bücher.de/", "https://xn--bcher-kva.de/1.jpg"),
        ("http://[::1]:8000/", "http://[::1]:8000/1.jpg"),
        ("http://minio:9000/photos", "http://minio:9000/photos/1.jpg"),
        ("s3://photos/shop", "s3://photos/shop/1.jpg"),
        ("s3://photos", "s3a://photos/1.jpg"),
        ("gs://photos", "gcs://photos/1.jpg"),
        ("https://", "https://any.org/1.jpg"),
    ],
)
def test_what_lies_below_a_prefix_is_allowed(prefix: str, url: str) -> None:
    assert allowed_by(prefix).allows(url)


@pytest.mark.parametrize(
    ("prefix", "url"),
    [
        ("https://shop.com", "http://shop.com/1.jpg"),
        ("https://shop.com", "https://shop.com.evil.org/1.jpg"),
        ("https://shop.com", "https://evil.org/shop.com/1.jpg"),
        ("https://shop.com", "https://shop.com@evil.org/1.jpg"),
        ("https://shop.com", "https://shop.com:x@evil.org/1.jpg"),
        ("https://shop.com", "https://evil.org\\@shop.com/1.jpg"),
        ("https://shop.com", "https://shop.com\\@evil.org/1.jpg"),
        ("https://shop.com", "https://evil.org?https://shop.com/1.jpg"),
        ("https://shop.com", "https://shop.com:8443/1.jpg"),
        ("https://shop.com", "https://www.shop.com/1.jpg"),
        ("https://shop.com", "https://shop.com\t.evil.org/1.jpg"),
        ("https://shop.com", "https:///shop.com/1.jpg"),
        ("https://shop.com", "https:shop.com/1.jpg"),
        ("https://shop.com", "//shop.com/1.jpg"),
        ("https://shop.com/a", "https://shop.com/ab/1.jpg"),
        ("https://shop.com/a", "https://shop.com/A/1.jpg"),
        ("https://shop.com/a", "https://shop.com/1.jpg"),
        ("https://shop.com/a", "https://shop.com/a/../b/1.jpg"),
        ("https://shop.com/a", "https://shop.com/a/%2e%2e/b/1.jpg"),
        ("https://shop.com/a", "https://shop.com/a/..%2fb/1.jpg"),
        ("https://shop.com/a", "https://shop.com/a/%252e%252e/b/1.jpg"),
        ("https://shop.com/a", "https://shop.com/a/..\\b/1.jpg"),
        ("https://shop.com/a", "https://shop.com/b/../a/1.jpg"),
        ("https://shop.com/", "file:///etc/passwd"),
        ("https://shop.com/", "http://169.254.169.254/latest/meta-data/"),
        ("https://shop.com/", "http://2852039166/latest/meta-data/"),
        ("https://", "http://any.org/1.jpg"),
        ("https://", "https:///1.jpg"),
        ("s3://photos", "s3://photos2/1.jpg"),
        ("s3://photos", "s3://secrets/1.jpg"),
        ("s3://photos", "gs://photos/1.jpg"),
        ("s3://photos/shop", "s3://photos/shop/../secrets/1.jpg"),
        ("s3://photos/shop", "s3://photos/shop2/1.jpg"),
        ("s3://photos", "s3://photos/1.jpg::file:///etc/passwd"),
        ("s3://photos", "simplecache::s3://photos/1.jpg"),
        ("s3://photos", "s3:///photos/1.jpg"),
        ("s3://photos", "photos/1.jpg"),
    ],
)
def test_nothing_else_is_allowed_however_it_is_written(prefix: str, url: str) -> None:
    assert not allowed_by(prefix).allows(url)


def test_without_a_prefix_nothing_is_allowed() -> None:
    assert not allowed_by(None).allows("https://shop.com/1.jpg")
    assert not allowed_by([]).allows("https://shop.com/1.jpg")


@pytest.mark.parametrize(
    "prefix",
    [
        "shop.com",
        "photos/",
        "https://shop.com/?w=5",
        "https://shop.com/../a",
        "https:///a",
        "s3://",
        "s3:///a",
        "https://a b.com/",
        "https://shop.com:port/",
        "",
        "*",
        True,
        5,
        ["https://shop.com", None],
    ],
)
def test_what_is_no_prefix_is_refused(prefix: object) -> None:
    with pytest.raises(curation.InputError, match="`fetch` allows what begins with a URL") as caught:
        allowed_by(prefix)  # type: ignore[arg-type]
    assert caught.value.parameter == "fetch"
    assert caught.value.exit_code == 2


def test_files_of_this_machine_have_another_option() -> None:
    with pytest.raises(curation.InputError, match="`allow_outside=True`"):
        allowed_by("file:///home/me/photos")


def test_a_host_that_is_named_may_be_private_and_one_that_is_not_may_not() -> None:
    allowed = allowed_by(["http://", "http://10.0.0.1/"])
    assert not allowed.only_public("http://10.0.0.1/1.jpg")
    assert allowed.only_public("http://10.0.0.2/1.jpg")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.com/1.jpg?w=5#a", "https://shop.com/1.jpg?w=5#a"),
        ("https://me:secret@shop.com/1.jpg", "https://shop.com/1.jpg"),
        ("https://me:se/cret@shop.com/1.jpg", "https://shop.com/1.jpg"),
        ("https://me:se@cret@shop.com/1.jpg", "https://shop.com/1.jpg"),
        ("https://shop.com:8443/@me/1.jpg", "https://shop.com:8443/@me/1.jpg"),
        ("s3://key:secret@photos/1.jpg", "s3://photos/1.jpg"),
        ("https://b.s3.amazonaws.com/1.jpg?X-Amz-Credential=A&X-Amz-Signature=0", "https://b.s3.amazonaws.com/1.jpg?…"),
        ("https://x.blob.core.windows.net/1.jpg?sv=1&sig=abc", "https://x.blob.core.windows.net/1.jpg?…"),
        ("https://shop.com/1.jpg?w=5&access_token=abc", "https://shop.com/1.jpg?…"),
        ("https://shop.com/1.jpg#token=abc", "https://shop.com/1.jpg?…"),
        ("photos/1.jpg", "photos/1.jpg"),
    ],
)
def test_nothing_secret_of_a_url_is_shown(url: str, expected: str) -> None:
    assert shown(url) == expected


def test_the_place_of_a_url_has_no_password_either() -> None:
    assert store_of("https://me:secret@shop.com:8443/1.jpg") == "https://shop.com:8443"
    assert store_of("https://me:secret@shop.com:port/1.jpg") == "https://shop.com:port/1.jpg"


def test_the_prefixes_that_are_advised_are_the_deepest_folders_and_allow_the_urls() -> None:
    urls = [
        "https://a.com/p/1 x/1.jpg",
        "https://a.com/p/1 x/2.jpg",
        "s3://b/x/1.jpg",
        "s3://b/y/1.jpg",
        "https://[x/1",
    ]
    prefixes = prefix_for(urls)
    assert prefixes == ["https://a.com/p/1 x/", "s3://b/"]
    allowed = allowed_by(prefixes)
    assert [allowed.allows(url) for url in urls] == [True] * 4 + [False]


@pytest.mark.parametrize(
    ("base", "name", "url"),
    [
        ("s3://b/t/", "1.jpg", "s3://b/t/1.jpg"),
        ("s3://b/t/", "../1.jpg", "s3://b/1.jpg"),
        ("s3://b/t/", "../../../x/1.jpg", "s3://b/x/1.jpg"),
        ("s3://b/t/", "/x/1.jpg", "s3://b/x/1.jpg"),
        ("https://b.com/", "ä b.jpg", "https://b.com/%C3%A4%20b.jpg"),
        ("https://b.com/", "a#1.jpg", "https://b.com/a%231.jpg"),
    ],
)
def test_a_name_relative_to_a_url_stays_at_its_host(base: str, name: str, url: str) -> None:
    assert joined(base, name) == url
    assert parse_address(url).store == parse_address(base).store


@pytest.mark.parametrize(
    "text", ["C:\\photos\\1.jpg", "C://photos/1.jpg", "file:///1.jpg", "local://1.jpg", "1.jpg", ""]
)
def test_files_are_no_urls(text: str) -> None:
    assert not is_remote(text)
