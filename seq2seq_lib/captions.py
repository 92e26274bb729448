"""What pictures, tables and drawings share and what needs no matplotlib: style and caption."""

import html

from seq2seq_lib.palette import style_sheet

# Every text of this module that a reader sees.
WORDS = {"figure": "Figure"}

STYLE = (
    style_sheet(".s2s")
    + """html{counter-reset:s2s}
figure.s2s{counter-increment:s2s;margin:1rem 0;padding:.25rem 0;max-width:32rem;text-align:left;
 background:var(--s2s-paper);color:var(--s2s-ink)}
figure.s2s svg{display:block;width:100%;height:auto}
figure.s2s figcaption{text-align:left;font-size:.875rem;font-weight:400;line-height:1.5;
 margin:.5rem 0 0;color:var(--s2s-muted)}
figure.s2s figcaption::before{content:"""
    + f'"{WORDS["figure"]} "'
    + """ counter(s2s) ". ";font-weight:600}
div.s2s{max-width:46rem;background:var(--s2s-paper);color:var(--s2s-ink)}
div.s2s div{overflow-x:auto}
div.s2s table{border-collapse:collapse;margin:.5rem 0;font-size:.9rem;color:inherit}
div.s2s th,div.s2s td{padding:.35rem .5rem;text-align:right;color:inherit;
 background:none;border-bottom:1px solid var(--s2s-edge);font-variant-numeric:tabular-nums}
div.s2s th:first-child,div.s2s td:first-child{text-align:left}
div.s2s th,div.s2s td{white-space:pre}
div.s2s p{font-size:.875rem;line-height:1.5;color:var(--s2s-muted);margin:.25rem 0 1rem}
div.s2s .right{color:var(--s2s-correct)}
div.s2s .wrong{color:var(--s2s-wrong)}
"""
)


def captioned(svg, caption):
    """An SVG element and the text beneath it, as the HTML of one figure"""
    return (
        f'<style>{STYLE}</style><figure class="s2s">{svg}'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


class Drawing:
    """A figure of lines and words that shows itself in the page's colours, text as text.

    sentence : what a reader sees in it, for who cannot
    caption  : how to read it
    """

    def __init__(self, svg, sentence, caption):
        self._svg, self.sentence, self.caption = svg, sentence, caption

    def svg(self):
        """The drawing as one SVG element, its colours left to CSS"""
        return self._svg

    def _repr_html_(self):
        return captioned(self._svg, self.caption)
