"""The numbers to tune: how varied the photos are, and how many listings are wrong."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Difficulty", "Shares"]


@dataclass(frozen=True)
class Difficulty:
    """How much the photos vary: the more they do, the harder they are to classify.

    With the defaults, a ResNet-18 trained from scratch classifies 82 to 85 % of held-out sound listings correctly. It
    was trained on 400 listings, wrong labels included, at 48 pixels, for 144 steps of 32 photos, with flips as its only
    augmentation, on two splits of seed 0.

    Attributes
    ----------
    rotation : float
        Largest rotation of the object in degrees, either way.
    perspective : float
        Largest shift of each corner of the object, as a share of its size.
    size_low, size_high : float
        Width of the object as a share of the shorter side of the photo.
    off_centre : float
        Largest shift of the object's centre, as a share of the photo.
    cut_off : float
        Probability that the object crosses the edge of the photo.
    cut_off_by : float
        How far it is then shifted at most, as a share of the photo.
    clutter : float
        Mean number of small unrelated items in the photo.
    cable, hand, sticker : float
        Probability of a stray cable, of a hand in the photo, and of a price sticker on the object.
    plain : float
        Probability of a plain wall as background; otherwise it is wood, cloth, tiles, a gradient or a table by a wall.
    backdrop : float
        Strength of the colours and patterns of the background, from 0 (uniform light grey) to 1 (full).
    typicality : float
        How much the common designs of a class outnumber its rare ones: the power to which their weights are raised.
    stretch : float
        Largest change of the object's height relative to its width, as a share.
    light : float
        Largest fall of the light across the photo, as a share.
    vignette : float
        Largest darkening of the corners, as a share.
    brightness, white_balance : float
        Largest change of the brightness, and of each colour channel, as a share.
    blur : float
        Probability of a blurred photo.
    blur_radius : float
        Largest radius of the blur in pixels.
    noise : float
        Largest standard deviation of the sensor noise, in grey levels of 255.
    quality_low, quality_high : int
        Bounds of the JPEG quality, both included.
    """

    rotation: float = 4.0
    perspective: float = 0.025
    size_low: float = 0.9
    size_high: float = 1.0
    off_centre: float = 0.015
    cut_off: float = 0.03
    cut_off_by: float = 0.16
    clutter: float = 0.3
    cable: float = 0.02
    hand: float = 0.03
    sticker: float = 0.05
    plain: float = 0.7
    backdrop: float = 0.25
    typicality: float = 2.2
    stretch: float = 0.03
    light: float = 0.18
    vignette: float = 0.2
    brightness: float = 0.1
    white_balance: float = 0.03
    blur: float = 0.25
    blur_radius: float = 1.6
    noise: float = 5.0
    quality_low: int = 55
    quality_high: int = 92


@dataclass(frozen=True)
class Shares:
    """How many listings get each kind of issue, as shares of all listings.

    Wrong labels are those of a few classes, and go the same way, as on a real marketplace: in gumtree-electronics-dev,
    16 of 37 accessories of consoles are listed as consoles, and 8 of 18 parts of computers as computers. A model learns
    such errors, where it forgives as many at random.

    Attributes
    ----------
    as_laptop : float
        Cheap accessories and toys listed as laptops.
    toys : float
        Share of toys among the listings of `as_laptop`.
    under_main_class : float
        Parts and accessories listed under the class of what they are used with, see
        :data:`curation.demo_data.catalogue.MISTAKEN`.
    spec_sheets : float
        Laptops whose photo shows text instead of the item.
    reposts : float
        Listings that show the item of another listing again.
    reposts_relabelled : float
        Share of the reposts that are under another class, too.
    byte_copies : float
        Share of the reposts whose photo is copied byte for byte; the others are cropped and encoded again.
    price_slips : float
        Prices 10 or 100 times too high or too low.
    placeholders : float
        Prices that stand for none: 0, 1 or 123456.
    office_printers : float
        Sound listings of printers that are far more expensive than other printers.
    unreadable : float
        Photos that can't be decoded.
    least : int
        Smallest number of listings of each kind, whatever the size of the demo.
    """

    as_laptop: float = 0.07
    toys: float = 0.18
    under_main_class: float = 0.05
    spec_sheets: float = 0.025
    reposts: float = 0.05
    reposts_relabelled: float = 1 / 3
    byte_copies: float = 0.15
    price_slips: float = 0.04
    placeholders: float = 0.015
    office_printers: float = 0.007
    unreadable: float = 0.01
    least: int = 3
