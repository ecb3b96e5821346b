"""The numbers to tune: how hard the photos are, and how much of the table is wrong."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Difficulty", "Shares"]


@dataclass(frozen=True)
class Difficulty:
    """How much the photos vary. Larger spreads make a classifier's work harder.

    As they stand, a ResNet-18 trained from scratch on 400 listings at 48 pixels, wrong labels included, for 144 steps
    of 32, names 82 to 85 % of other sound listings rightly (two splits of seed 0, flips the only augmentation).

    Attributes
    ----------
    rotation : float
        Largest turn of the object, degrees either way.
    perspective : float
        Largest move of each corner of the object, as a share of its size.
    size_low, size_high : float
        Width of the object as a share of the shorter side of the photo.
    off_centre : float
        Largest shift of the object's centre, as a share of the photo.
    cut_off : float
        Chance that the object is pushed over the border, by up to `cut_off_by` of the photo.
    cut_off_by : float
        See `cut_off`.
    clutter : float
        Mean number of other small things in the photo.
    cable, hand, sticker : float
        Chance of a cable lying around, of a hand in the photo, of a price sticker on the object.
    plain : float
        Chance of a plain wall behind the object; otherwise wood, cloth, tiles, a gradient or a table by a wall.
    backdrop : float
        How strong the colours and patterns behind the object are: 1 as they are, 0 all the same light grey.
    usual : float
        How much the usual designs of a class outnumber the rare ones: their weights are raised to this power.
    stretch : float
        Largest change of the object's height beside its width, as a share.
    light : float
        Largest loss of light across the photo, as a share.
    vignette : float
        Largest darkening of the corners, as a share.
    brightness, white_balance : float
        Largest change of brightness, and of each colour channel, as a share.
    blur : float
        Chance of a blurred photo; `blur_radius` is the largest radius in pixels.
    blur_radius : float
        See `blur`.
    noise : float
        Largest standard deviation of the sensor noise, in grey levels of 255.
    quality_low, quality_high : int
        JPEG quality.
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
    usual: float = 2.2
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
    """What is planted, as shares of all listings; and the least number of each kind, whatever the size of the table.

    Attributes
    ----------
    as_laptop : float
        Cheap accessories and toys listed as laptops; `toys` of them are toys.
    toys : float
        See `as_laptop`.
    swapped : float
        Listings under the wrong class of a pair that people confuse.
    spec_sheets : float
        Laptops whose photo is a picture of text.
    reposts : float
        Listings that show the same item as another; `reposts_relabelled` of them are under another class too.
    reposts_relabelled : float
        See `reposts`.
    byte_copies : float
        Share of the reposts whose file is a copy, byte for byte; the others are encoded anew.
    price_slips : float
        Prices 10 or 100 times too high or too low.
    placeholders : float
        Prices that are no prices: 0, 1, 123456.
    office_printers : float
        Sound listings that are rightly expensive.
    unreadable : float
        Files that no decoder reads.
    least : int
        The least number of each kind.
    """

    as_laptop: float = 0.05
    toys: float = 0.25
    swapped: float = 0.07
    spec_sheets: float = 0.025
    reposts: float = 0.05
    reposts_relabelled: float = 1 / 3
    byte_copies: float = 0.15
    price_slips: float = 0.04
    placeholders: float = 0.015
    office_printers: float = 0.007
    unreadable: float = 0.01
    least: int = 3
