"""Names of files in zip archives are shown and matched as whoever packed them saw them."""

import binascii
import io
import struct
import unicodedata
import zipfile

import pytest

from coursekit.submission import archives, encoding_plausibility, zip_names
from coursekit.submission.zip_names import UNICODE_PATH
from tests.patience import spends_at_most


def packed(*names, flag=False, extra=b""):
    """An archive whose entries have these bytes as names; without the flag it does not say in which encoding."""
    stand_ins = {chr(ord("Q") + number) * len(name): name for number, name in enumerate(names)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for stand_in in stand_ins:
            entry = zipfile.ZipInfo(stand_in)
            entry.extra = extra
            archive.writestr(entry, b"x")
    data = out.getvalue()
    for stand_in, name in stand_ins.items():
        assert data.count(stand_in.encode()) == 2
        data = data.replace(stand_in.encode(), name)
    if flag:
        data = data.replace(b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\0\x08")
        data = data.replace(b"PK\1\2\x14\3\x14\0\0\0", b"PK\1\2\x14\3\x14\0\0\x08")
    return data


def names(data):
    found = archives.files_in(data, "a.zip")
    assert all(item.read(10) == b"x" for item in found)
    return [str(item.path) for item in found]


NAMES = {
    "gbk": ["作业.ipynb", "深度学习作业/数字识别.ipynb", "李明_第三次作业.ipynb", "答案/图片.png",
            "王小红（最终版）.png"],
    "cp932": ["課題.ipynb", "深層学習の課題.ipynb", "テスト/レポート.ipynb", "表示.png", "山田太郎_提出.ipynb",
              "ソース.ipynb"],
    "cp1252": ["Übung.ipynb", "café.ipynb", "Prüfung Müller.ipynb", "señal.png", "naïve – Kopie.ipynb", "Résumé.ipynb",
               "Lösung für José.ipynb", "Mädchen.png", "l’été.ipynb", "São Paulo.ipynb", "Ångström.ipynb"],
    "cp437": ["Übung.ipynb", "café.ipynb", "Prüfung Müller.ipynb", "señal.png", "Lösung.ipynb", "à la carte.ipynb"],
    "cp850": ["ação.ipynb", "São Paulo.ipynb"],
    "cp949": ["김민수_과제.ipynb", "딥러닝 과제/그림 파일.png"],
    "big5": ["作業.ipynb", "陳小明_作業.ipynb"],
    "cp1251": ["задание.ipynb", "Иванов_работа.ipynb"],
    "cp866": ["задание.ipynb", "Иванов.ipynb"],
    "utf-8": ["作业.ipynb", "Übung.ipynb", "課題 é.ipynb"],
}  # fmt: skip


@pytest.mark.parametrize(("encoding", "name"), [(encoding, name) for encoding in NAMES for name in NAMES[encoding]])
def test_a_name_of_which_nothing_is_said_is_read_as_it_makes_sense(encoding, name):
    assert names(packed(name.encode(encoding))) == [name]


@pytest.mark.parametrize("encoding", NAMES)
def test_one_program_packs_a_whole_archive_so_its_names_tell_of_each_other(encoding):
    assert names(packed(*[name.encode(encoding) for name in NAMES[encoding]], b"digits.ipynb")) == [
        *NAMES[encoding],
        "digits.ipynb",
    ]


def test_a_name_that_says_it_is_utf_8_is():
    assert names(packed("作业 é.ipynb".encode(), flag=True)) == ["作业 é.ipynb"]


def test_the_field_of_info_zip_goes_before_any_guess():
    name, told = "作业.ipynb".encode("gbk"), "作业.ipynb".encode()
    field = b"\1" + struct.pack("<L", binascii.crc32(name)) + told
    extra = struct.pack("<HH", UNICODE_PATH, len(field)) + field
    assert names(packed(name, extra=extra)) == ["作业.ipynb"]
    other = b"\1" + struct.pack("<L", 0) + b"other.txt"  # left over from before the entry was renamed
    extra = struct.pack("<HH", UNICODE_PATH, len(other)) + other
    assert names(packed(name, extra=extra)) == ["作业.ipynb"]


def test_accents_of_macos_are_put_together():
    assert names(packed(unicodedata.normalize("NFD", "Übung é.ipynb").encode(), flag=True)) == ["Übung é.ipynb"]


@pytest.mark.parametrize("extra", [b"\x75\x70\5\0\1abcd", b"\x75\x70\6\0\1abcd\xff"])
def test_a_damaged_extra_field_does_no_harm(extra):
    assert names(packed(b"digits.ipynb", extra=extra)) == ["digits.ipynb"]


def test_of_many_long_names_a_few_tell_the_encoding(monkeypatch):
    """What a character makes sense as is found out in nine encodings: so much is not done for half a million."""
    asked = []
    monkeypatch.setattr(
        encoding_plausibility, "sense", lambda texts, encoding: asked.append(sum(map(len, texts))) or 0.0
    )
    long = [bytes([0xC0 + number]) * zip_names.MAX_NAME_CHARS for number in range(20)]
    found = names(packed("\u00dcbung.ipynb".encode("cp1252"), *long))
    assert len(found) == 21
    assert 0 < max(asked) <= zip_names.MAX_GUESSED_BYTES


def test_a_name_that_is_too_long_is_passed_over():
    name = "n" * (zip_names.MAX_NAME_CHARS - 6)
    assert names(packed(name.encode() + b".ipynb")) == [f"{name}.ipynb"]
    for flag in (True, False):
        assert names(packed(b"digits.ipynb", name.encode() + b"1.ipynb", flag=flag)) == ["digits.ipynb"]
    told = b"\1" + struct.pack("<L", binascii.crc32(b"digits.ipynb")) + name.encode() + b"1.ipynb"
    extra = struct.pack("<HH", UNICODE_PATH, len(told)) + told
    with pytest.raises(archives.CourseError, match="names longer than 1,000 letters"):
        archives.files_in(packed(b"digits.ipynb", extra=extra), "a.zip")


@pytest.mark.parametrize("name", ["\u0300" * 15_000 + "\u0316" * 15_000, "\uff9e\u3099" * 10_000])
def test_a_name_of_many_accents_takes_no_seconds(name):
    with spends_at_most(0.5), pytest.raises(archives.CourseError, match="names longer"):
        archives.files_in(packed(name.encode(), flag=True), "a.zip")


def test_a_table_of_contents_with_much_in_it_besides_names_is_not_read():
    """zipfile copies what is left of an entry's extra fields for each of them, and there may be 16,000."""
    fits = struct.pack("<HH", 0x7777, 0) * (archives.MAX_EXTRA_BYTES // 4)
    assert names(packed(b"digits.ipynb", extra=fits)) == ["digits.ipynb"]
    with pytest.raises(archives.CourseError, match="extra fields"):
        archives.files_in(packed(b"digits.ipynb", b"other.txt", extra=fits + b"\x77\x77\0\0"), "a.zip")


def test_what_stands_in_front_of_an_archive_does_no_harm():
    """As in one that unpacks itself."""
    assert names(b"#!/bin/sh\n" * 50 + packed("\u00dcbung.ipynb".encode("cp1252"))) == ["\u00dcbung.ipynb"]


def test_no_decoding_leads_out_of_the_archive():
    """Bytes may spell a way out only once they are decoded."""
    field = b"\1" + struct.pack("<L", binascii.crc32(b"digits.ipynb")) + b"../../digits.ipynb"
    extra = struct.pack("<HH", UNICODE_PATH, len(field)) + field
    with pytest.raises(archives.CourseError, match="lead out of it"):
        archives.files_in(packed(b"digits.ipynb", extra=extra), "a.zip")
