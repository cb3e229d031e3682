"""Erasing in a bucket: locks are lifted by the credential of destruction alone, legal holds by nobody, marks go too."""

from datetime import UTC, datetime, timedelta

import pytest

from archive.errors import Unavailable
from storage.minio.client import client
from storage.minio.erasing import MinioErasing
from storage.minio.objects import MinioStore
from storage.minio.setup import policies
from tests.factories import minio_server


def test_every_version_and_mark_goes_but_what_is_held() -> None:
    access = minio_server.needed()
    bucket = minio_server.a_bucket(access)
    root = client(access)
    everyday, destroyer = (
        client(minio_server.a_person(access, dict(policies(bucket)[name]))) for name in ("everyday", "destruction")
    )
    store = MinioStore(everyday, everyday, bucket)
    until = datetime.now(UTC) + timedelta(days=400)
    keys = ["a/1", "a/2", "a/3", "a/11"]
    versions = {key: store.put(key, [b"bytes"]).version for key in keys}
    store.put("a/1", [b"again"])
    root.remove_object(bucket, "a/1")  # a delete mark hides it
    for key, version in versions.items():
        store.lock(key, version, until)
    store.hold("a/2", versions["a/2"], on=True)

    erasing = MinioErasing(destroyer, bucket)
    assert erasing.held(dict.fromkeys(keys)) == {"a/2"}
    assert erasing.held(versions) == {"a/2"}
    assert erasing.standing(keys) == {"a/1": 3, "a/2": 1, "a/3": 1, "a/11": 1}
    assert MinioErasing(everyday, bucket).erase({"a/3": None}) == {"a/3"}, "the everyday credential removes nothing"
    assert erasing.standing(["a/3"]) == {"a/3": 1}
    assert erasing.erase({"a/2": versions["a/2"], "a/3": versions["a/3"]}) == {"a/2"}
    assert erasing.standing(["a/3"]) == {}
    assert erasing.erase({"a/1": versions["a/1"]}) == frozenset()
    assert erasing.standing(["a/1"]) == {"a/1": 2}, "another version and the mark, of which nobody told"
    assert erasing.erase(dict.fromkeys(["a/1", "a/2", "a/3"])) == {"a/2"}
    assert erasing.standing(keys) == {"a/2": 1, "a/11": 1}
    assert erasing.erase({"a/1": versions["a/1"], "a/3": None}) == frozenset(), "a second time finds nothing"
    store.hold("a/2", versions["a/2"], on=False)
    assert erasing.erase({"a/2": None}) == frozenset()
    assert erasing.standing(["a/2"]) == {}


def test_a_store_that_is_away_is_told_as_away() -> None:
    access = minio_server.needed()
    away = client(type(access)("127.0.0.1:9", access.key, access.secret, secure=False), tries=1)
    with pytest.raises(Unavailable):
        MinioErasing(away, "nothing").erase({"a/1": None})
