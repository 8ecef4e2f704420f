"""Draws charts as SVG, without a library."""
import html
import math

COLOURS = ["#0a6", "#c43", "#36c", "#b80", "#84b", "#088", "#777"]
WIDTH, HEIGHT = 800, 450
LEFT, RIGHT, TOP, BOTTOM = 70, 770, 40, 400


def ticks(low, high, log):
    if log:
        steps = [b * 10 ** e for e in range(-4, 7) for b in (1, 2, 5)]
        return [v for v in steps if low <= math.log10(v) <= high]
    size = 10 ** math.floor(math.log10((high - low) / 4))
    size *= next(f for f in (1, 2, 5, 10) if (high - low) / (size * f) <= 7)
    return [round(i * size, 10) for i in range(math.ceil(low / size), math.floor(high / size) + 1)]


class Chart:
    """Axes over the given values, linear or logarithmic."""

    def __init__(self, xs, ys, x, y, log_x=False, log_y=False, room=0.05):
        self.scale_x, self.scale_y = (math.log10 if log else float for log in (log_x, log_y))
        xs, ys = [self.scale_x(v) for v in xs], [self.scale_y(v) for v in ys]
        # A linear axis starts at 0, so that twice the height means twice the value.
        self.low = [min(xs) if log_x else min(0, *xs), min(ys) if log_y else min(0, *ys)]
        self.high = [max(xs), max(ys)]
        for i, log in enumerate((log_x, log_y)):
            span = (self.high[i] - self.low[i]) or 1
            self.high[i] += span * (room if i == 0 else 0.08)
            if log:
                self.low[i] -= span * 0.08
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                      'font-family="sans-serif" font-size="12">', f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
        for v in ticks(self.low[0], self.high[0], log_x):
            self.parts.append(f'<path d="M{self.x(v):.0f} {TOP}V{BOTTOM}" stroke="#e5e5e5"/>'
                              f'<text x="{self.x(v):.0f}" y="{BOTTOM + 16}" text-anchor="middle">{v:,.12g}</text>')
        for v in ticks(self.low[1], self.high[1], log_y):
            self.parts.append(f'<path d="M{LEFT} {self.y(v):.0f}H{RIGHT}" stroke="#e5e5e5"/>'
                              f'<text x="{LEFT - 8}" y="{self.y(v) + 4:.0f}" text-anchor="end">{v:,.12g}</text>')
        self.parts.append(f'<text x="420" y="440" text-anchor="middle">{html.escape(x)}</text>'
                          f'<text x="20" y="220" text-anchor="middle" transform="rotate(-90 20 220)">{html.escape(y)}</text>')

    def x(self, v):
        return LEFT + (self.scale_x(v) - self.low[0]) / (self.high[0] - self.low[0]) * (RIGHT - LEFT)

    def y(self, v):
        return BOTTOM - (self.scale_y(v) - self.low[1]) / (self.high[1] - self.low[1]) * (BOTTOM - TOP)

    def text(self, x, y, text, colour="black"):
        self.parts.append(f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}">{html.escape(text)}</text>')

    def write(self, path):
        with open(path, "w") as file:
            file.write("\n".join(self.parts) + "\n</svg>\n")


def scatter(path, points, x, y, ours="vdsq"):
    """Draws named points on logarithmic axes. Names that begin with `ours` have a separate colour."""
    chart = Chart([p[1] for p in points], [p[2] for p in points], x, y, True, True, room=0.45)
    taken = []
    for name, px, py in sorted(points, key=lambda p: -p[2]):
        cx, label = chart.x(px), chart.y(py) + 4
        while any(abs(label - other) < 13 and abs(cx - at) < 220 for at, other in taken):
            label += 13
        taken.append((cx, label))
        colour = COLOURS[0] if name.startswith(ours) else COLOURS[1]
        chart.parts.append(f'<circle cx="{cx:.0f}" cy="{chart.y(py):.0f}" r="5" fill="{colour}"/>')
        chart.text(cx + 9, label, name)
    chart.write(path)


def bars(path, rows, x, most, ours="vdsq"):
    """Horizontal bars of (name, value), logarithmic; a value of None goes over the edge."""
    chart = Chart([v for _, v in rows if v] + [most], [1], x, "", log_x=True, room=0.02)
    chart.parts = [p for p in chart.parts if f'H{RIGHT}"' not in p]
    height = (BOTTOM - TOP) / len(rows)
    for i, (name, value) in enumerate(rows):
        top = TOP + i * height
        colour = COLOURS[0] if name.startswith(ours) else COLOURS[1]
        end = chart.x(value) if value else RIGHT
        chart.parts.append(f'<rect x="{LEFT}" y="{top + 2:.0f}" width="{end - LEFT:.0f}" height="{height - 4:.0f}" '
                           f'fill="{colour}" opacity="0.55"/>')
        chart.text(LEFT + 6, top + height / 2 + 4, f"{name}: {f'{value:g}' if value else f'more than {most:g}'}")
    chart.write(path)


def lines_chart(path, curves, x, y, log_x=False, log_y=False, marks=False):
    """Draws curves of (name, [(x, y)]) with their names above the chart."""
    points = [p for _, curve in curves for p in curve]
    chart = Chart([p[0] for p in points], [p[1] for p in points], x, y, log_x, log_y)
    left = LEFT
    for (name, curve), colour in zip(curves, COLOURS):
        # At most as many points as there are pixels.
        step = max(1, len(curve) // 700)
        kept = curve[::step] + curve[-1:]
        route = " ".join(f"{chart.x(px):.1f},{chart.y(py):.1f}" for px, py in kept)
        chart.parts.append(f'<polyline points="{route}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if marks:
            chart.parts += [f'<circle cx="{chart.x(px):.1f}" cy="{chart.y(py):.1f}" r="3" fill="{colour}"/>'
                            for px, py in curve]
        chart.text(left, 24, name, colour)
        left += 7 * len(name) + 24
    chart.write(path)
