"""What the network's benchmark sends is what a receiver stored, and nothing of it runs on."""

import re

import numpy as np
import psutil
import pytest
from benchmarks.ct_files import write_slices
from benchmarks.receiving import Lesionary, Peer, send, storescp, told

from servers import dcmtk, orthanc
from servers.requirements import require


@pytest.fixture(scope="module")
def slices(tmp_path_factory):
    lack = dcmtk.what_is_missing()
    require("dcmtk", not lack, lack)
    folder = tmp_path_factory.mktemp("slices")
    write_slices(folder, [np.zeros((512, 512), dtype=np.int16)] * 2)
    return folder


def test_ours_stores_all_without_a_token_and_again_from_nothing(slices):
    server = Lesionary()
    try:
        for _ in range(2):
            assert told(send(server.anew(), slices)) == "2 stored, 0 of 20 tokens in them"
    finally:
        server.close()


def test_a_peer_stores_what_came_and_ends(slices):
    lack = orthanc.what_is_missing()
    require("orthanc", not lack, lack)
    server = Peer("STORESCP", storescp)
    try:
        place = send(server.anew(), slices)
        assert told(place).startswith("2 stored, ")
        assert not told(place).startswith("2 stored, 0 ")
        assert re.search(r"; version 3\.[0-9.]+$", told(place))
        (child,) = [one for one in psutil.Process().children() if one.name() == "storescp"]
    finally:
        server.close()
    assert not child.is_running()


def test_a_sender_that_finds_nobody_says_so(slices):
    server = Peer("STORESCP", storescp)
    lack = orthanc.what_is_missing()
    require("orthanc", not lack, lack)
    place = server.anew()
    server.close()
    with pytest.raises(RuntimeError, match="not all were taken"):
        send(place, slices)
