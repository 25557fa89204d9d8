"""What came out: medians over the rounds, as TSV and as a table."""

import statistics

# Of these the table shows the ratio; the others are in the TSV.
HEADLINE = ["median", "rate", "memory"]


class Results:
    def __init__(self):
        # (scenario, contender, mode) -> figure name -> list of values; and of ratios.
        self.values = {}
        self.ratios = {}
        self.units = {}

    def add(self, scenario, contender, mode, figures, floors):
        """`floors`: the figures of the floor's runs before and after; empty where there is none."""
        for name, (value, unit) in figures.items():
            key = (f"{scenario}.{name}", contender, mode)
            self.units[key] = unit
            self.values.setdefault(key, []).append(value)
            around = [floor[name][0] for floor in floors if name in floor]
            if len(around) == len(floors) and statistics.mean(around) > 0:
                self.ratios.setdefault(key, []).append(value / statistics.mean(around))

    def rows(self):
        for key, values in self.values.items():
            ratios = self.ratios.get(key)
            yield (*key, statistics.median(values), self.units[key],
                   statistics.median(ratios) if ratios else None)

    def write_tsv(self, path):
        with open(path, "w", encoding="utf-8") as out:
            out.write("scenario\tcontender\tmode\tfigure\tunit\tratio_to_floor\n")
            for scenario, contender, mode, figure, unit, ratio in self.rows():
                shown = "-" if ratio is None else f"{ratio:.3f}"
                out.write(f"{scenario}\t{contender}\t{mode}\t{figure:.6g}\t{unit}\t{shown}\n")

    def print_table(self, out):
        rows = list(self.rows())
        for mode in dict.fromkeys(row[2] for row in rows):
            print_mode(out, mode, [row for row in rows if row[2] == mode])


def print_mode(out, mode, rows):
    cells, units = {}, {}
    for scenario, contender, _, figure, unit, ratio in rows:
        name, kind = scenario.rsplit(".", 1)
        if kind not in HEADLINE:
            continue
        units[name] = unit
        cells[name, contender] = number(figure) + ("" if ratio is None else f" ({ratio:.2f})")
    contenders = list(dict.fromkeys(row[1] for row in rows))
    table = [["mode " + mode] + [f"{name} {unit}" for name, unit in units.items()]]
    for contender in contenders:
        table.append([contender] + [cells.get((name, contender), "-") for name in units])
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        out.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() + "\n")
    out.write("\n")


def number(value):
    """Three digits that count, with k and M."""
    for limit, suffix in ((1e6, "M"), (1e4, "k")):
        if value >= limit:
            return f"{value / (1e6 if suffix == 'M' else 1e3):.3g}{suffix}"
    return f"{value:.3g}"
