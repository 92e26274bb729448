"""The lines of drawings: arrows and where they end, meet or are left out; braces."""

import math

from seq2seq_lib.drawings.shapes import n, outline, text
from seq2seq_lib.palette import variable

HEAD = 7  # an arrow's head is as long, and as wide
CORNER = 5


def arrow(*points, role="muted", line=1.6, dashed=False, over=False):
    """A line through points with a head at its end, straight or with rounded corners.

    over : it crosses another line, and is seen to pass over it
    """
    (x0, y0), (x, y) = points[-2:]
    length = math.hypot(x - x0, y - y0)
    ax, ay = (x - x0) / length, (y - y0) / length
    base = x - HEAD * ax, y - HEAD * ay
    half = HEAD / 2
    head = (
        f'<path d="M{n(x)} {n(y)}L{n(base[0] - half * ay)} {n(base[1] + half * ax)}'
        f'L{n(base[0] + half * ay)} {n(base[1] - half * ax)}z" style="fill:{variable(role)}"/>'
    )
    shaft = *points[:-1], (base[0] + ax, base[1] + ay)
    return line_through(*shaft, role=role, line=line, dashed=dashed, over=over) + head


def line_through(*points, role="muted", line=1.6, dashed=False, over=False):
    """A line through points, its corners rounded"""
    d = f"M{n(points[0][0])} {n(points[0][1])}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (ax, ay), (bx, by) = _towards(corner, before), _towards(corner, after)
        d += f"L{n(ax)} {n(ay)}Q{n(corner[0])} {n(corner[1])} {n(bx)} {n(by)}"
    d += f"L{n(points[-1][0])} {n(points[-1][1])}"
    below = outline(d, "paper", line=line + 5) if over else ""
    return below + outline(d, role, line=line, dashed=dashed)


def ended(x0, y0, x, y, role="edge"):
    """An output that nobody uses: a line that ends at a bar"""
    length = math.hypot(x - x0, y - y0)
    ax, ay = 5 * (x - x0) / length, 5 * (y - y0) / length
    bar = f"M{n(x - ay)} {n(y + ax)}L{n(x + ay)} {n(y - ax)}"
    return outline(f"M{n(x0)} {n(y0)}L{n(x)} {n(y)}{bar}", role, line=1.6)


def up(x, below, above, **how):
    """The arrow from one level to the next one above it"""
    return arrow((x, below.top - 1), (x, above.bottom + 1.5), **how)


def node(x, y, sign, role="ink"):
    """Where two vectors are added or multiplied, element by element"""
    r = 4.2 if sign == "+" else 3.2
    cross = {
        "+": f"M{n(x - r)} {n(y)}h{n(2 * r)}M{n(x)} {n(y - r)}v{n(2 * r)}",
        "×": f"M{n(x - r)} {n(y - r)}l{n(2 * r)} {n(2 * r)}m{n(-2 * r)} 0l{n(2 * r)} {n(-2 * r)}",
    }[sign]
    circle = (
        f'<circle cx="{n(x)}" cy="{n(y)}" r="9" style="fill:{variable("paper")};'
        f'stroke:{variable(role)};stroke-width:1.5"/>'
    )
    return circle + outline(cross, role, line=1.6)


def dot(x, y, role="muted", radius=2.6):
    """Where a line branches, or a point of a curve"""
    return f'<circle cx="{n(x)}" cy="{n(y)}" r="{n(radius)}" style="fill:{variable(role)}"/>'


def badge(x, y, number, role="ink"):
    """A number in a circle, for a text to speak of"""
    circle = f'<circle cx="{n(x)}" cy="{n(y)}" r="8.5" style="fill:{variable(role)}"/>'
    return circle + text(x, y, number, "paper", bold=True, size=12)


def brace(left, right, y, label, *, above=True, role="muted", kind="plain"):
    """A curly brace over a stretch, or under it, and what it is called"""
    s = -1 if above else 1
    middle = (left + right) / 2
    d = (
        f"M{n(left)} {n(y)}q0 {5 * s} 6 {5 * s}H{n(middle - 5)}q5 0 5 {5 * s}"
        f"q0 {-5 * s} 5 {-5 * s}H{n(right - 6)}q6 0 6 {-5 * s}"
    )
    words = text(middle, y + 19 * s, label, role, kind=kind) if label else ""
    return outline(d, role, line=1.2) + words


def dots(x, y, role="muted"):
    """More of the same"""
    return [
        f'<circle cx="{n(x + 6 * k)}" cy="{n(y)}" r="1.6" style="fill:{variable(role)}"/>'
        for k in (-1, 0, 1)
    ]


def _towards(corner, point):
    """A little way from a corner to a point"""
    length = math.dist(corner, point)
    share = min(CORNER, length / 2) / length
    return tuple(c + share * (p - c) for c, p in zip(corner, point, strict=True))
