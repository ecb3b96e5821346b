"""Text in photos: how much of a photo it covers, what it says, and which photos are flagged for it."""

import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw, ImageFont

from curation.demo_data.drawing.text import spec_sheet
from curation.find import FindSettings, find
from curation.issues.indirect_image import KIND
from curation.listings import read_listings
from curation.photos.facts import with_photo_facts
from curation.photos.text import READ_FROM, TextFinder
from curation.photos.text_cache import PhotoText
from tests.curation.issues.test_indirect_image import evidence_of
from tests.support.reporters import Listener
from training.engine.contract import LOCAL
from training.errors import CurateError
from training.images.cache import PhotoCache
from training.settings import Execution, Recipe
from training.utils.progress import SILENT, Silent

QUICK = FindSettings(folds=2, recipe=Recipe(pretrained=False), execution=Execution(preset="quick", device="cpu"))


@pytest.fixture
def cache(tmp_path):
    return PhotoCache(tmp_path / "cache", 10**9)


def sheet(size=(320, 320), seed=0):
    return spec_sheet(np.random.default_rng(seed), *size)


def product(size=(320, 320)):
    """A box with a small logo, on a plain ground."""
    image = Image.new("RGB", size, (196, 190, 180))
    draw = ImageDraw.Draw(image)
    width, height = size
    draw.rounded_rectangle((width * 0.2, height * 0.25, width * 0.8, height * 0.75), 12, fill=(52, 54, 60))
    draw.text((width * 0.4, height * 0.45), "ACME", fill=(210, 210, 210), font=ImageFont.load_default(size=18))
    return image


def keyboard():
    """Rows of keys: the detector alone takes them for lines of text."""
    image = Image.new("RGB", (320, 200), (200, 200, 205))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((20, 50, 300, 150), 6, fill=(40, 42, 46))
    for row in range(5):
        for column in range(14):
            x, y = 26 + column * 19.5, 56 + row * 18.5
            draw.rounded_rectangle((x, y, x + 16, y + 15), 2, fill=(90, 92, 98))
    return image


def lines(*words):
    image = Image.new("RGB", (320, 70 * len(words)), "white")
    for number, line in enumerate(words):
        ImageDraw.Draw(image).text((20, 10 + 70 * number), line, fill="black", font=ImageFont.load_default(size=36))
    return image


def saved(folder, name, image, **options):
    folder.mkdir(parents=True, exist_ok=True)
    image.save(folder / name, **options)
    return photo_file(folder / name, image.size)


def photo_file(path, size):
    content = path.read_bytes()
    return content, hashlib.sha256(content).hexdigest(), size


def find_text(photos, *, cache, reporter=SILENT):
    with TextFinder(cache, reporter=reporter) as finder:
        for photo in photos:
            finder(*photo)
    return [finder.text_of(sha256) for _, sha256, _ in photos]


def test_a_spec_sheet_is_flagged_and_quoted(tmp_path, cache):
    (text,) = find_text([saved(tmp_path, "sheet.jpg", sheet(), quality=85)], cache=cache)
    assert READ_FROM < text.share <= 1
    assert "Processor" in text.words
    issues = KIND.find(evidence_of([text]))
    assert issues[KIND.flag].tolist() == [True]
    assert issues[KIND.score].tolist() == [1 - text.share]
    start = f'text covers {100 * text.share:.0f} % of the photo: "'
    (reason,) = issues["reason"]
    assert reason.startswith(start)
    assert text.words.startswith(reason.removeprefix(start).removesuffix('"').removesuffix(" ..."))


@pytest.mark.parametrize("draw", [product, keyboard])
def test_a_photo_of_the_item_is_not_flagged(draw, tmp_path, cache):
    texts = find_text([saved(tmp_path, "item.jpg", draw(), quality=85)], cache=cache)
    assert texts[0].share is not None
    assert KIND.find(evidence_of(texts))[KIND.flag].tolist() == [False]


def test_one_line_alone_is_not_taken_for_a_text(tmp_path, cache):
    photos = [saved(tmp_path, f"{count}.png", lines(*["GREAT OFFER TODAY"] * count)) for count in (2, 3)]
    assert [text.share > READ_FROM for text in find_text(photos, cache=cache)] == [False, True]


def test_a_brand_on_the_item_is_read_and_covers_nothing(tmp_path, cache):
    (text,) = find_text([saved(tmp_path, "item.png", product())], cache=cache)
    assert text == PhotoText(0.0, "ACME")


def test_small_lines_are_read_and_their_share_is_that_of_their_boxes(tmp_path, cache):
    image = Image.new("RGB", (640, 640), "white")
    for row, line in enumerate(("CANON PIXMA", "INKJET PRINTER", "TS5350")):
        ImageDraw.Draw(image).text((40, 40 + 70 * row), line, fill="black", font=ImageFont.load_default(size=34))
    (text,) = find_text([saved(tmp_path, "box.png", image)], cache=cache)
    assert 0 < text.share < READ_FROM
    assert "PIXMA" in text.words
    assert "TS5350" in text.words


def test_words_are_in_reading_order(tmp_path, cache):
    image = Image.new("RGB", (640, 330), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=44)
    for place, words in {(20, 20): "FIRST", (330, 26): "SECOND", (20, 140): "THIRD", (20, 260): "FOURTH"}.items():
        draw.text(place, words, fill="black", font=font)
    (text,) = find_text([saved(tmp_path, "page.png", image)], cache=cache)
    assert text.words == "FIRST SECOND THIRD FOURTH"


def test_what_an_earlier_run_has_found_is_not_looked_for_again(tmp_path, cache):
    photos = [saved(tmp_path, "a.png", sheet()), saved(tmp_path, "b.png", product())]
    first = find_text(photos, cache=cache)
    files = cache.text_files()
    assert find_text(photos[::-1], cache=cache) == first[::-1]
    assert cache.text_files() == files


def test_what_an_earlier_run_has_found_is_looked_for_again_if_its_file_changed(tmp_path, cache):
    photos = [saved(tmp_path, "a.png", product())]
    first = find_text(photos, cache=cache)
    (file,) = cache.text_files()
    file.write_text(file.read_text().replace(first[0].words, first[0].words[::-1]))
    assert find_text(photos, cache=cache) == first
    assert find_text(photos, cache=cache) == first
    file.unlink()
    file.mkdir()
    assert find_text(photos, cache=cache) == first
    assert file.is_file()


def test_equal_files_are_looked_at_once(tmp_path, cache, monkeypatch):
    saved(tmp_path / "shop" / "a", "1.png", product((200, 200)))
    for path in ("a/2.png", "b/1.png"):
        (tmp_path / "shop" / path).parent.mkdir(exist_ok=True)
        (tmp_path / "shop" / path).write_bytes((tmp_path / "shop" / "a" / "1.png").read_bytes())
    looks, look = [], TextFinder.__call__
    monkeypatch.setattr(TextFinder, "__call__", lambda self, *photo: (looks.append(photo[2]), look(self, *photo)))
    shop = read_listings(tmp_path / "shop")
    table = with_photo_facts(tmp_path, shop, 32, cache, Silent(), text=True, engine=LOCAL, require=lambda facts: None)
    assert looks == [(200, 200)]
    assert table["text_share"].nunique() == 1


def test_another_way_of_looking_is_not_served_old_answers(tmp_path, cache, monkeypatch):
    photo = saved(tmp_path, "a.png", product((160, 160)))
    find_text([photo], cache=cache)
    monkeypatch.setattr("curation.photos.text._VERSION", -1)
    find_text([photo], cache=cache)
    assert len(cache.text_files()) == 2


def test_whoever_is_interrupted_goes_on_from_there(tmp_path, cache):
    photos = [saved(tmp_path, f"{seed}.png", product((160 + seed, 160))) for seed in range(4)]

    def interrupted():
        yield from photos[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_text(interrupted(), cache=cache)
    assert len(json.loads(cache.text_files()[0].read_text())) == 2
    texts = find_text(photos, cache=cache)
    assert sorted(len(json.loads(path.read_text())) for path in cache.text_files()) == [2, 2]
    assert texts == find_text(photos, cache=PhotoCache(tmp_path / "other", 10**9))


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"a": 1}', b"\xff\xfe", b'{"a": ["much", null]}'])
def test_a_damaged_file_of_the_cache_is_looked_for_anew(content, tmp_path, cache):
    photo = saved(tmp_path, "a.png", product((160, 160)))
    expected = find_text([photo], cache=cache)
    for path in cache.text_files():
        path.write_bytes(content)
    assert find_text([photo], cache=cache) == expected


def test_a_cache_that_cannot_be_written_is_said_and_costs_no_result(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    listener, cache = Listener(), PhotoCache(tmp_path / "cache", 10**9)
    (text,) = find_text([saved(tmp_path, "a.png", product((160, 160)))], cache=cache, reporter=listener)
    assert text.share is not None
    assert "can't be cached" in listener.lines[0]


def test_what_is_known_of_text_counts_in_the_cache_and_is_cleared_and_trimmed_with_it(tmp_path, cache):
    photo = saved(tmp_path, "a.png", product((160, 160)))
    find_text([photo], cache=cache)
    (path,) = cache.text_files()
    assert cache.used() == path.stat().st_size > 0
    assert PhotoCache(cache.folder, 0).trim() > 0
    assert not cache.text_files()
    find_text([photo], cache=cache)
    assert cache.clear() > 0
    assert not cache.text_files()


@pytest.mark.parametrize("mode", ["P", "L", "CMYK", "LA", "1", "I;16"])
def test_odd_colour_modes_say_the_same(mode, tmp_path, cache):
    image = lines("SPECIAL 2024", "GREAT OFFER", "ONLY TODAY")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    (text,) = find_text([saved(tmp_path, "a.tiff" if mode == "CMYK" else "a.png", image)], cache=cache)
    assert text.words.replace(" ", "") == "SPECIAL2024GREATOFFERONLYTODAY"


def test_of_an_animation_the_first_frame_is_read(tmp_path, cache):
    frames = [sheet((240, 240)), product((240, 240))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    (text,) = find_text([photo_file(tmp_path / "a.gif", (240, 240))], cache=cache)
    assert text.words


def test_a_photo_turned_by_exif_is_read_upright(tmp_path, cache):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = lines("UPRIGHT WORDS", "STAND LIKE", "THIS ALWAYS")
    turned = image.transpose(Image.Transpose.ROTATE_90)
    (text,) = find_text([saved(tmp_path, "a.jpg", turned, exif=exif, quality=95)], cache=cache)
    assert text.words.replace(" ", "") == "UPRIGHTWORDSSTANDLIKETHISALWAYS"


def test_large_and_long_photos_are_looked_at(tmp_path, cache):
    photos = [
        saved(tmp_path, "large.jpg", sheet().resize((6000, 6000)), quality=70),
        saved(tmp_path, "strip.png", product((3000, 100))),
    ]
    large, strip = find_text(photos, cache=cache)
    assert "Processor" in large.words
    assert strip.share == 0 or 0 < strip.share <= 1


def test_photos_too_small_for_text_are_not_looked_at(tmp_path, cache):
    photos = [saved(tmp_path, "tiny.png", sheet((32, 32))), saved(tmp_path, "low.png", sheet((300, 90)))]
    assert find_text(photos, cache=cache) == [PhotoText(), PhotoText()]
    assert not cache.folder.exists()


def test_a_damaged_photo_has_no_text(tmp_path, cache):
    (tmp_path / "damaged.jpg").write_bytes(b"\xff\xd8\xff damaged")
    assert find_text([photo_file(tmp_path / "damaged.jpg", (160, 160))], cache=cache) == [PhotoText()]


def test_threads_look_at_once_and_find_the_same(tmp_path, cache):
    photos = [saved(tmp_path, f"{seed}.png", sheet((200, 200), seed)) for seed in range(8)]
    with TextFinder(cache) as finder, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda photo: finder(*photo), photos))
    together = [finder.text_of(sha256) for _, sha256, _ in photos]
    assert together == find_text(photos, cache=PhotoCache(tmp_path / "other", 10**9))


def test_a_reader_that_cannot_be_loaded_is_said_with_what_to_do(tmp_path, cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)
    with pytest.raises(CurateError, match="text=False"):
        find_text([saved(tmp_path, "a.png", product((160, 160)))], cache=cache)


def test_the_two_packages_that_bring_opencv_are_of_one_version():
    # both write the folder cv2: FiftyOne asks for the headless one, the reader for the other
    import cv2

    assert version("opencv-python") == version("opencv-python-headless")
    assert version("opencv-python").startswith(cv2.__version__)


def test_the_planted_spec_sheets_of_the_demo_are_found_and_nothing_else(finished, demo):
    truth = pd.read_csv(demo / "truth.csv", keep_default_na=False)
    planted = truth["issues"].str.contains("indirect_image").to_numpy()
    issues = finished.issues()
    assert planted.sum() == 3
    assert np.array_equal(issues[KIND.flag].to_numpy(dtype=bool), planted)
    assert issues["reasons"][planted].str.contains("text covers").all()
    listings = finished.listings()
    assert str(listings["text_share"].dtype) == "Float64"
    assert np.array_equal(listings["text_share"].isna(), listings["unreadable"].notna())


def test_no_text_leaves_the_columns_empty_and_reads_nothing(demo, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)
    run = find(read_listings(demo), replace(QUICK, text=False), run_folder=tmp_path / "run")
    assert run.listings()[["text_share", "text"]].isna().all(axis=None)
    assert run.issues()[[KIND.flag, KIND.score]].isna().all(axis=None)
    assert json.loads(run.record_file.read_text())["settings"]["text"] is False


def test_a_run_whose_reader_cannot_be_loaded_leaves_nothing_behind(demo, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)
    with pytest.raises(CurateError, match="text=False"):
        find(read_listings(demo), QUICK, run_folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_interrupted_search_goes_on_with_the_run(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (24, 4, 4, 3), dtype=np.uint8)
    for number, photo in enumerate(colours):
        name = ("boxes", "cartons")[number % 2]
        saved(tmp_path / "shop" / name, f"{number}.png", Image.fromarray(photo).resize((160, 160)))

    class Impatient(Silent):
        @contextmanager
        def bar(self, what):
            def progress(done, total):
                if what == "reading photos" and done == 20:
                    raise KeyboardInterrupt

            yield progress

    cache = PhotoCache(tmp_path / "cache", 10**9)
    with pytest.raises(KeyboardInterrupt):
        find(read_listings(tmp_path / "shop"), QUICK, run_folder=tmp_path / "run", cache=cache, reporter=Impatient())
    cached = sum(len(json.loads(path.read_text())) for path in cache.text_files())
    assert cached >= 20
    run = find(read_listings(tmp_path / "shop"), QUICK, run_folder=tmp_path / "run", cache=cache)
    assert sum(len(json.loads(path.read_text())) for path in cache.text_files()) == 24
    assert run.listings()["text_share"].notna().all()


_COUNT_OPENS = """
import collections, json, sys
from pathlib import Path
shop, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
opened = collections.Counter()
def reporting():
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_name != "write_report":
        frame = frame.f_back
    return frame is not None
def note(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)) and str(args[0]).endswith(".jpg"):
        if not reporting():  # the report shows some photos, from their files
            opened[str(args[0])] += 1
sys.addaudithook(note)
from curation.find import FindSettings, find
from curation.listings import read_listings
from training.images.cache import PhotoCache
from training.settings import Execution, Recipe
settings = FindSettings(folds=2, recipe=Recipe(pretrained=False), execution=Execution(preset="quick", device="cpu"))
find(read_listings(shop), settings, run_folder=out / "run", cache=PhotoCache(out / "cache", 10**9))
print(json.dumps(opened))
"""


def test_each_photo_is_opened_once_for_its_hash_its_pixels_and_its_text(demo, tmp_path):
    command = [sys.executable, "-c", _COUNT_OPENS, str(demo), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    opened = json.loads(done.stdout.splitlines()[-1])
    photos = {str(path) for path in (demo.resolve() / "images").iterdir()}
    tried = {path for path, count in opened.items() if count == 2}
    # the speed of reading is tried on a few of them before anything is planned
    assert len(tried) <= 16
    assert all(count <= 2 for count in opened.values())
    assert {path for path in photos if path.endswith(".jpg")} == set(opened)
