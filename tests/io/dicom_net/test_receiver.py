"""The receiver alone: what it hands on, whom it turns away, and that nothing stops it."""

import socket
import struct
import threading
import time
import warnings
from collections import Counter
from contextlib import closing

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)
from pynetdicom import AE

from dicom_factory import ct_series
from lesionary.core.errors import InputError
from lesionary.io.dicom.tree_reading import read_instance
from lesionary.io.dicom_net.contexts import storage_classes, transfer_syntaxes
from lesionary.io.dicom_net.receiver import Receiver
from lesionary.io.dicom_net.settings import ReceiverSettings
from lesionary.io.dicom_net.statuses import OF_CODES, Answer, refusal
from servers.processes import wait_until

VERIFICATION = "1.2.840.10008.1.1"
PRIVATE = "1.2.840.999999.1.2.3"
NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)


class Desk:
    """Keeps what it is handed, and answers as it was told."""

    def __init__(self, answer=None) -> None:
        self.contents: list[bytes] = []
        self.endings: list[str] = []
        self.codes: list[str] = []
        self.answer = answer or Answer()

    def take(self, content, _conversation):
        self.contents.append(content)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def end(self, conversation):
        self.endings.append(conversation.ending)
        if conversation.rejection is not None:
            self.codes.append(conversation.rejection.code)

    def fail(self, rejection):
        self.codes.append(rejection.code)


def receiving(desk, **changes):
    return Receiver(ReceiverSettings(port=0, **changes), desk.take, desk.end, desk.fail)


def associated(port, contexts, *, called="LESIONARY", calling="SENDER"):
    entity = AE(ae_title=calling)
    for abstract, syntaxes in contexts:
        entity.add_requested_context(abstract, list(syntaxes))
    return entity.associate("127.0.0.1", port, ae_title=called)


def send(port, slices, syntax=ExplicitVRLittleEndian):
    association = associated(port, [(CTImageStorage, [syntax])])
    assert association.is_established
    answers = [association.send_c_store(ds) for ds in slices]
    association.release()
    return answers


@pytest.mark.parametrize("syntax", NATIVE)
def test_an_object_arrives_as_a_file_that_can_be_read(syntax):
    desk = Desk()
    slices = ct_series(syntax=syntax)[:2]
    with receiving(desk) as receiver:
        answers = send(receiver.port, slices, syntax)
    assert [answer.Status for answer in answers] == [0, 0]
    for content, ds in zip(desk.contents, slices, strict=True):
        instance = read_instance(content)
        assert instance.transfer_syntax == syntax
        assert bytes(instance.data_set.get(0x00080018).value).decode().strip("\0") == (
            ds.SOPInstanceUID
        )
        assert instance.pixels is not None
        little = np.frombuffer(bytes(instance.pixels.native), "<i2")
        order = ">i2" if syntax == ExplicitVRBigEndian else "<i2"
        assert (little == np.frombuffer(ds.PixelData, order)).all()


def test_every_kind_of_compression_is_agreed_on():
    desk = Desk()
    wanted = [JPEG2000Lossless, DeflatedExplicitVRLittleEndian, "1.2.840.10008.1.2.4.202"]
    with receiving(desk) as receiver:
        for syntax in wanted:
            association = associated(receiver.port, [(CTImageStorage, [syntax])])
            assert association.is_established, syntax
            assert association.accepted_contexts[0].transfer_syntax == [syntax]
            association.release()
    assert {"1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.50"} <= (
        transfer_syntaxes()
    )
    assert len(storage_classes()) > 100


def test_an_unknown_class_is_refused_for_its_context_alone():
    with receiving(Desk()) as receiver:
        association = associated(
            receiver.port,
            [
                (PRIVATE, [ImplicitVRLittleEndian]),
                (CTImageStorage, [ImplicitVRLittleEndian]),
                ("1.2.840.10008.5.1.4.1.2.2.1", [ImplicitVRLittleEndian]),  # a query
            ],
        )
        assert [one.abstract_syntax for one in association.accepted_contexts] == [CTImageStorage]
        assert {one.result for one in association.rejected_contexts} == {3}
        association.release()


def test_an_echo_is_answered_and_an_association_without_context_is_none():
    desk = Desk()
    with receiving(desk) as receiver:
        association = associated(receiver.port, [(VERIFICATION, [ImplicitVRLittleEndian])])
        assert association.send_c_echo().Status == 0
        association.release()
        assert desk.codes == []
        associated(receiver.port, [(PRIVATE, [ImplicitVRLittleEndian])]).abort()
        assert wait_until(lambda: len(desk.endings) == 2, 10)
    assert desk.codes == ["no_context"]
    assert desk.endings[0] == "released"
    assert desk.contents == []


@pytest.mark.parametrize(
    ("called", "calling", "code"),
    [("OTHER", "SENDER", "called_title"), ("LESIONARY", "STRANGER", "calling_title")],
)
def test_wrong_titles_are_rejected_and_it_is_known_which(called, calling, code):
    desk = Desk()
    context = (VERIFICATION, [ImplicitVRLittleEndian])
    with receiving(desk, allowed_callers=("SENDER",)) as receiver:
        association = associated(receiver.port, [context], called=called, calling=calling)
        assert association.is_rejected
        assert wait_until(lambda: desk.endings == ["rejected"], 10)
    assert desk.codes == [code]


@pytest.mark.parametrize("code", sorted(OF_CODES))
def test_a_refusal_is_told_with_status_and_code(code):
    desk = Desk(refusal(code))
    with receiving(desk) as receiver:
        (answer,) = send(receiver.port, ct_series()[:1])
    assert answer.Status == OF_CODES[code] != 0
    assert answer.ErrorComment == code


def test_a_fault_of_whoever_takes_is_a_processing_failure_without_its_text():
    desk = Desk(ValueError("ZQXPLANTED"))
    with receiving(desk) as receiver:
        answers = send(receiver.port, ct_series()[:2])
    assert [answer.Status for answer in answers] == [0x0110, 0x0110]
    assert "ZQXPLANTED" not in str(answers)


def test_an_object_that_is_too_large_ends_its_association():
    desk = Desk()
    array = np.zeros((1, 512, 512), dtype=np.int16)
    with receiving(desk, most_object_bytes=100_000, max_pdu_bytes=16_384) as receiver:
        association = associated(receiver.port, [(CTImageStorage, [ExplicitVRLittleEndian])])
        answer = association.send_c_store(ct_series(array)[0])
        assert "Status" not in answer
        assert wait_until(lambda: desk.endings == ["aborted"], 10)
        assert [one.Status for one in send(receiver.port, ct_series()[:1])] == [0]
    assert len(desk.contents) == 1


def test_a_pdu_that_claims_gigabytes_is_not_waited_for():
    desk = Desk()
    with receiving(desk) as receiver:
        with closing(socket.create_connection(("127.0.0.1", receiver.port), timeout=10)) as peer:
            peer.sendall(struct.pack(">BBL", 1, 0, 2**32 - 1))
            peer.settimeout(10)
            assert peer.recv(100) == b""
        assert wait_until(lambda: desk.endings == ["lost"], 10)


def test_a_peer_that_says_nothing_is_dropped():
    desk = Desk()
    with receiving(desk, timeout_s=0.3) as receiver:
        with closing(socket.create_connection(("127.0.0.1", receiver.port), timeout=10)) as peer:
            assert peer.recv(100) == b""
        assert wait_until(lambda: desk.endings == ["lost"], 10)


def test_tls_where_none_is_spoken_is_told_from_noise():
    desk = Desk()
    with receiving(desk) as receiver:
        for start in (b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0"):
            with closing(socket.create_connection(("127.0.0.1", receiver.port))) as peer:
                peer.sendall(start)
                peer.shutdown(socket.SHUT_WR)
        assert wait_until(lambda: len(desk.endings) == 2, 10)
    assert desk.codes == ["tls_unwanted"]


def test_one_more_association_than_may_be_is_turned_away_and_may_come_again():
    context = (VERIFICATION, [ImplicitVRLittleEndian])
    desk = Desk()
    with receiving(desk, most_associations=2) as receiver:
        held = [associated(receiver.port, [context]) for _ in range(2)]
        third = associated(receiver.port, [context])
        assert third.is_rejected
        assert wait_until(lambda: desk.codes == ["too_many"], 10)
        held.pop().release()
        assert wait_until(lambda: receiver.n_open < 2, 10)
        again = associated(receiver.port, [context])
        assert again.is_established
        for one in (*held, again):
            one.release()


def test_48_senders_at_once_hear_of_every_object():
    desk = Desk()
    slices = ct_series()
    statuses: Counter[object] = Counter()
    lock = threading.Lock()

    def abuse(number: int, port: int) -> None:
        association = associated(port, [(CTImageStorage, [ExplicitVRLittleEndian])])
        if not association.is_established:
            with lock:
                statuses["turned away"] += 1
            return
        for ds in slices[: 1 + number % 4]:
            answer = association.send_c_store(ds)
            with lock:
                statuses[answer.get("Status", "none")] += 1
        association.abort() if number % 5 == 0 else association.release()

    with receiving(desk, most_associations=24) as receiver:
        threads = [
            threading.Thread(target=abuse, args=(number, receiver.port)) for number in range(48)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert [one.Status for one in send(receiver.port, slices[:1])] == [0]
        assert wait_until(lambda: receiver.n_open == 0, 20)
    assert set(statuses) <= {0, "turned away"}
    assert len(desk.contents) == statuses[0] + 1


def test_stopping_waits_for_the_object_that_is_worked_on():
    begun, go_on = threading.Event(), threading.Event()
    contents = []

    def take(content, conversation):
        begun.set()
        go_on.wait(10)
        contents.append(content)
        return Answer()

    receiver = Receiver(ReceiverSettings(port=0), take)
    receiver.start()
    answers = []

    def run():
        association = associated(receiver.port, [(CTImageStorage, [ExplicitVRLittleEndian])])
        answers.append(association.send_c_store(ct_series()[0]))

    sender = threading.Thread(target=run)
    sender.start()
    assert begun.wait(10)
    stopping = threading.Thread(target=receiver.stop)
    stopping.start()
    time.sleep(0.1)
    go_on.set()
    for thread in (stopping, sender):
        thread.join(timeout=20)
    assert len(contents) == 1
    assert [answer.get("Status") for answer in answers] == [0]


def test_a_stopped_receiver_leaves_the_libraries_as_they_were():
    from pydicom import config
    from pynetdicom import _config

    before = config.settings.reading_validation_mode, _config.LOG_HANDLER_LEVEL, warnings.filters[:]
    with receiving(Desk()):
        assert _config.LOG_HANDLER_LEVEL == "none"
    after = config.settings.reading_validation_mode, _config.LOG_HANDLER_LEVEL, warnings.filters[:]
    assert before == after


def test_a_message_that_breaks_the_rules_is_logged_nowhere(caplog, capfd):
    desk = Desk()
    with receiving(desk) as receiver:
        ds = ct_series()[0]
        ds.SOPInstanceUID = "1.2.ZQXPLANTED"
        association = associated(receiver.port, [(CTImageStorage, [ExplicitVRLittleEndian])])
        association.send_c_store(ds)
        association.abort()
        assert wait_until(lambda: len(desk.endings) == 1, 10)
    assert "ZQXPLANTED" not in caplog.text
    said = capfd.readouterr()
    assert "ZQXPLANTED" not in said.out + said.err


@pytest.mark.parametrize("title", ["", "  ", "A" * 17, "A\\B", "ÄTTERNA", "A\nB"])
def test_a_title_that_is_none_is_refused(title):
    with pytest.raises(InputError) as caught:
        receiving(Desk(), ae_title=title).start()
    assert caught.value.code == "ae_title"


def test_a_response_of_success_says_nothing_more():
    desk = Desk()
    with receiving(desk) as receiver:
        (answer,) = send(receiver.port, ct_series()[:1])
    assert isinstance(answer, Dataset)
    assert "ErrorComment" not in answer
