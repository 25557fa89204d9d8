"""What came out: medians over the rounds, as TSV, as a table, and drawn."""

import statistics
import subprocess

# Of lwmsg, of the rivals (gnuplot's own), of the floors.
COLOURS = ["lc rgb '#c00000'", "", "lc rgb '#909090'"]
# Of these the table shows the ratio; the others are in the TSV.
HEADLINE = ["median", "rate", "memory"]


class Measured:
    """One figure of a contender over the rounds. What was disturbed counts only if nothing else is."""

    def __init__(self, unit):
        self.unit = unit
        self.values = {True: [], False: []}
        self.ratios = {True: [], False: []}

    def quiet(self):
        return bool(self.values[True])

    def figure(self):
        return statistics.median(self.values[self.quiet()])

    def ratio(self):
        ratios = self.ratios[self.quiet()]
        return statistics.median(ratios) if ratios else None


class Results:
    def __init__(self):
        self.measured = {}  # By (scenario with the name of the figure, contender, mode).

    def add(self, key, figures, floors, quiet):
        """`floors`: the figures of the floor's runs before and after; empty where there is none.
        `quiet`: whether nobody disturbed these three runs."""
        scenario, contender, mode = key
        for name, (value, unit) in figures.items():
            measured = self.measured.setdefault((f"{scenario}.{name}", contender, mode),
                                                Measured(unit))
            measured.values[quiet].append(value)
            around = [floor[name][0] for floor in floors if name in floor]
            if len(around) == len(floors) and statistics.mean(around) > 0:
                measured.ratios[quiet].append(value / statistics.mean(around))

    def rows(self):
        for key, measured in self.measured.items():
            yield *key, measured.figure(), measured.unit, measured.ratio(), measured.quiet()

    def write_tsv(self, path):
        with open(path, "w", encoding="utf-8") as out:
            out.write("scenario\tcontender\tmode\tfigure\tunit\tratio_to_floor\n")
            for scenario, contender, mode, figure, unit, ratio, _ in self.rows():
                shown = "-" if ratio is None else f"{ratio:.3f}"
                out.write(f"{scenario}\t{contender}\t{mode}\t{figure:.6g}\t{unit}\t{shown}\n")

    def plot(self, path, mode):
        """Draws the headline's ratios in `mode` with gnuplot, into an SVG file."""
        rows = [row for row in self.rows()
                if row[2] == mode and row[5] is not None and row[0].rsplit(".", 1)[1] in HEADLINE]
        scenarios = list(dict.fromkeys(row[0].rsplit(".", 1)[0] for row in rows))
        contenders = sorted(dict.fromkeys(row[1] for row in rows), key=kind_of)
        subprocess.run(["gnuplot"], input=plot_script(path, mode, scenarios, contenders, rows),
                       check=True, text=True)

    def print_table(self, out):
        rows = list(self.rows())
        for mode in dict.fromkeys(row[2] for row in rows):
            print_mode(out, mode, [row for row in rows if row[2] == mode])


def print_mode(out, mode, rows):
    cells, units = {}, {}
    for scenario, contender, _, figure, unit, ratio, quiet in rows:
        name, kind = scenario.rsplit(".", 1)
        if kind not in HEADLINE:
            continue
        units[name] = unit
        shown = number(figure) + ("" if ratio is None else f" ({ratio_text(ratio)})")
        cells[name, contender] = shown + ("" if quiet else "~")
    contenders = list(dict.fromkeys(row[1] for row in rows))
    table = [["mode " + mode] + [f"{name} {unit}" for name, unit in units.items()]]
    for contender in contenders:
        table.append([contender] + [cells.get((name, contender), "-") for name in units])
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        out.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() + "\n")
    out.write("\n")


def kind_of(contender):
    """What a reader looks for first, last and between: lwmsg, the floors, the rivals."""
    return {"lwmsg": 0, "raw": 2}.get(contender.split("-")[0], 1)


def plot_script(path, mode, scenarios, contenders, rows):
    lines = [f"set terminal svg size {220 + 90 * len(scenarios)},700",
             f"set output '{path}'",
             f"set title 'Ratio to the floor, mode {mode}: S2 to S4 are rates, the others times'",
             "set logscale y; set grid y; set key outside right",
             f"set xrange [-0.5:{len(scenarios) - 0.5}]",
             "set xtics (" + ", ".join(f"'{name}' {at}" for at, name in enumerate(scenarios)) + ")"]
    # Beside each other rather than on top of each other.
    step = 0.8 / max(len(contenders), 1)
    lines.append("plot 1 notitle lt -1, " + ", ".join(
        f"'-' using 1:2 title '{name}' with points pt {at % 13 + 1} ps 0.8 {COLOURS[kind_of(name)]}"
        for at, name in enumerate(contenders)))
    for at, contender in enumerate(contenders):
        for scenario, name, _, _, _, ratio, _ in rows:
            if name == contender:
                where = scenarios.index(scenario.rsplit(".", 1)[0]) - 0.4 + step * at
                lines.append(f"{where:.3f} {ratio:.6g}")
        lines.append("e")
    return "\n".join(lines) + "\n"


def ratio_text(ratio):
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.3f}"


def number(value):
    """Three digits that count, with k and M."""
    for limit, suffix in ((1e6, "M"), (1e4, "k")):
        if value >= limit:
            return f"{value / (1e6 if suffix == 'M' else 1e3):.3g}{suffix}"
    return f"{value:.3g}"
