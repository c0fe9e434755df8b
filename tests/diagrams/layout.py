"""What every diagram must be: text inside the canvas, and no text on other text."""

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg


def text_boxes(figure):
    """The extent of every text of a figure in pixels, by its content and number."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    texts = [text for ax in figure.axes for text in ax.texts if text.get_text()]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in texts]


def misplaced(figure):
    """Texts beyond the edge of a figure, and pairs of texts that overlap; an empty list is a legible diagram."""
    boxes = text_boxes(figure)
    width, height = figure.bbox.width, figure.bbox.height
    outside = [text for text, box in boxes if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height]
    return outside + [(a, b) for (a, first), (b, second) in combinations(boxes, 2) if first.overlaps(second)]
