"""Arrows of the atlas point at what they name."""

import numpy as np
import pytest
from layout import misplaced
from matplotlib.patches import FancyArrowPatch

from helpers.datasets import CYTOPLASM, NUCLEUS
from helpers.diagrams import atlas
from helpers.diagrams.atlas_notes import NOTES

SIDE = 200


@pytest.fixture
def cell():
    """A square cell with a square nucleus to the left, a pale nucleolus and a dark granule on the right."""
    image = np.full((SIDE, SIDE, 3), 220, np.uint8)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[20:180, 20:180] = CYTOPLASM
    mask[40:160, 30:110] = NUCLEUS
    image[mask == CYTOPLASM], image[mask == NUCLEUS] = 180, 80
    image[80:95, 65:80] = 150  # the nucleolus
    image[60:66, 65:71] = 40  # dark chromatin, in the upper half of the nucleus
    image[124:130, 65:71] = 50  # less dark chromatin, in the lower half
    image[100:105, 140:145] = 60  # the granule
    return image, mask


def test_places_are_found_from_image_and_mask(cell):
    image, mask = cell
    places = atlas.find_places(image, mask)
    greens = {feature: int(image[place][1]) for feature, place in places.items()}
    assert (greens["nucleoli"], greens["chromatin"], greens["granules"]) == (150, 50, 60)
    assert (greens["cytoplasm"], mask[places["nucleus"]], places["nucleus"][0] < 100) == (180, NUCLEUS, True)


@pytest.mark.parametrize("name", atlas.EXAMPLES)
def test_each_place_lies_in_its_part_of_the_cell(name):
    image, mask = atlas.example(name)
    parts = {feature: int(mask[place]) for feature, place in atlas.find_places(image, mask).items()}
    assert parts == {
        "nucleus": NUCLEUS, "chromatin": NUCLEUS, "nucleoli": NUCLEUS, "cytoplasm": CYTOPLASM, "granules": CYTOPLASM,
    }  # fmt: skip


def test_the_nucleus_to_cell_area_is_a_share_of_the_whole_cell(cell):
    assert atlas.nucleus_to_cell_area(cell[1]) == 120 * 80 / 160**2
    assert np.isnan(atlas.nucleus_to_cell_area(np.zeros((4, 4), np.uint8)))


@pytest.mark.parametrize("draw", [atlas.granulocytes, atlas.mononuclear_cells])
def test_notes_do_not_overlap_and_arrows_end_on_the_cells(draw):
    figure = draw()
    assert misplaced(figure.figure) == []
    arrows = [patch for patch in figure.figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]
    ends = [arrow._posA_posB for arrow in arrows]
    assert all(start[0] == atlas.TEXT_LEFT - 0.5 and 1 < end[0] < 43 for start, end in ends)


def test_there_is_an_arrow_for_each_feature_that_is_there():
    figure = atlas.mononuclear_cells().figure
    arrows = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == sum(bool(note) for name in atlas.MONONUCLEAR for note in NOTES[name])


def test_the_alt_text_has_every_note_and_the_measured_ratio():
    alt = atlas.mononuclear_cells().alt
    assert (
        "Lymphoblast: nucleus round (L1), or irregular (L2); chromatin fine, even; nucleoli one or more, paler" in alt
    )
    ratio = atlas.nucleus_to_cell_area(atlas.example("monocyte")[1])
    assert f"granules very fine, like dust; N:C {ratio:.2f}." in alt
