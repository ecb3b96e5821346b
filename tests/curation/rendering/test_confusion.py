"""The confusion matrix as a figure."""

import numpy as np

from curation.rendering.confusion import confusion_figure


def test_cells_are_coloured_by_their_share_of_the_row_and_empty_ones_have_no_number():
    figure = confusion_figure(np.array([[6, 2], [0, 0]]), ["lamp", "$5"], "Test listings")
    (axes,) = figure.axes
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.75, 0.25], [0, 0]])
    assert {text.get_position(): text.get_text() for text in axes.texts} == {(0, 0): "6", (1, 0): "2"}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["lamp", "$5"]
    figure.canvas.draw()
