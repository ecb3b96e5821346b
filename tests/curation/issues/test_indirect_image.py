"""Photos of text: how much of it, in how many photos of a class, and what is quoted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from curation.evidence.evidence import Evidence
from curation.issues.indirect_image import KIND
from curation.photos.text_cache import PhotoText


def evidence_of(texts, labels=None):
    n = len(texts)
    missing = pd.array([pd.NA] * n, dtype="string")
    listings = pd.DataFrame(
        {
            "id": pd.array([f"L{row}" for row in range(n)], dtype="string"),
            "image": pd.array([f"{row}.jpg" for row in range(n)], dtype="string"),
            "label": pd.array(labels or ["laptop"] * n, dtype="string"),
            "price": 10.0,
            "sha256": pd.array([str(row) for row in range(n)], dtype="string"),
            "unreadable": missing,
            "text_share": pd.array([text.share for text in texts], dtype="Float64"),
            "text": pd.array([text.words for text in texts], dtype="string"),
        }
    )
    return Evidence(listings, ("book", "laptop"), np.full((n, 2), np.nan))


PAGE = PhotoText(0.5, "Processor i5 RAM 16GB Storage 512GB NVMe Display 14 inch FHD IPS Battery health 87 %")
NOTHING = PhotoText(0.02)


def test_a_title_in_large_letters_is_no_page_of_text():
    table = KIND.find(evidence_of([PhotoText(0.4, "MODERN WARFARE"), PAGE]))
    assert table[KIND.flag].tolist() == [False, True]
    assert table["reason"].tolist()[0] == ""


def test_chinese_pages_are_flagged_with_fewer_signs():
    words = "处理器英特尔酷睿内存十六吉字节固态硬盘五百一十二吉字节"
    table = KIND.find(evidence_of([PhotoText(0.4, words)]))
    assert table["reason"].tolist() == [f'text covers 40 % of the photo: "{words}"']


def test_where_most_photos_of_a_class_are_text_none_is_odd():
    texts = [PAGE] * 9 + [NOTHING] * 3 + [PAGE] * 2 + [NOTHING] * 10
    labels = ["book"] * 12 + ["laptop"] * 12
    table = KIND.find(evidence_of(texts, labels))
    assert table[KIND.flag].tolist() == [False] * 12 + [True] * 2 + [False] * 10
    few = KIND.find(evidence_of([PAGE] * 3, ["book"] * 3))
    assert few[KIND.flag].all()


@pytest.mark.parametrize(
    ("share", "letters", "flagged"), [(0.15, 40, True), (0.149, 40, False), (0.15, 39, False), (0.9, 25, False)]
)
def test_text_must_cover_15_percent_and_have_40_letters(share, letters, flagged):
    table = KIND.find(evidence_of([PhotoText(share, "a" * letters)]))
    assert table[KIND.flag].tolist() == [flagged]
    assert table[KIND.score].tolist() == [pytest.approx(1 - share)]


@pytest.mark.parametrize(
    ("pages", "others", "usual"), [(6, 4, True), (5, 5, False), (6, 3, False), (7, 6, True), (9, 0, False)]
)
def test_text_is_usual_where_more_than_half_of_at_least_ten_photos_of_a_class_are_text(pages, others, usual):
    table = KIND.find(evidence_of([PAGE] * pages + [NOTHING] * others, ["book"] * (pages + others)))
    assert table[KIND.flag].tolist() == [not usual] * pages + [False] * others


def test_a_reason_quotes_the_first_sixty_signs_cut_between_words():
    texts = [PhotoText(0.5, words) for words in ("a" * 60, "a" * 61, "a" * 50 + " " + "b" * 20, "ab " * 19 + "abcd")]
    quoted = [reason.partition('"')[2].rpartition('"')[0] for reason in KIND.find(evidence_of(texts))["reason"]]
    assert quoted == ["a" * 60, "a" * 60 + " ...", "a" * 50 + " ...", ("ab " * 19).strip() + " ..."]


def test_listings_without_a_label_are_flagged_too():
    assert KIND.find(evidence_of([PAGE] * 12, [None] * 12))[KIND.flag].all()


def test_a_photo_that_was_not_looked_at_has_no_score():
    table = KIND.find(evidence_of([PAGE, PhotoText()]))
    assert table[KIND.flag].tolist() == [True, False]
    assert table[KIND.score].isna().tolist() == [False, True]


def test_the_order_of_rows_does_not_matter():
    texts = [PAGE, NOTHING, PhotoText(), PhotoText(0.4, "MODERN WARFARE")] * 6
    evidence = evidence_of(texts, ["book", "laptop", "laptop"] * 8)
    order = np.random.default_rng(0).permutation(len(texts))
    shuffled = replace(evidence, listings=evidence.listings.iloc[order])
    pd.testing.assert_frame_equal(KIND.find(evidence).iloc[order], KIND.find(shuffled))
