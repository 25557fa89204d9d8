"""Runs the contenders' programs in turn, round by round, and tells report.py what came out.

Each run of a contender stands between two runs of the floor of its scenario; one run of the floor
serves the contender before it and the one after it.
"""

import argparse
import fnmatch
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import report

# Scenario: the contender that is its floor; None if a ratio says nothing there.
FLOORS = {
    "S1-32B": "raw-block",
    "S1-1KiB": "raw-block",
    "S1-64KiB": "raw-block",
    "S1-1MiB": "raw-block",
    "S2-64": "raw-epoll",
    "S2-256": "raw-epoll",
    "S3": "raw-epoll",
    "S3-processes": "raw-epoll",
    "S4-bulk": "raw-block",
    "S4-shared": "raw-block",
    "S5": "raw-block",
    "S6": "raw-epoll-server",
    "S7": None,
    "S8": "raw-block",
}
# Contenders that differ from another in these scenarios only.
ONLY_IN = {"lwmsg-static": ["S8"]}
MODES = ["one", "free"]
# Program: what Debian calls the packages that it needs.
RIVALS = {
    "sd_bus": "libsystemd-dev",
    "grpc": "libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc",
    "zeromq": "libzmq3-dev",
    "nng": "libnng-dev",
    "thrift": "libthrift-dev thrift-compiler libboost-dev",
}
CANNOT = 3  # As main.cc has it.

QUICK = {"seconds": 210, "rounds": 3}
FULL = {"seconds": 1650, "rounds": 9}
# What a run takes besides measuring (two processes, a connection), until a round has shown it.
START_SECONDS = 0.05
SHORTEST_RUN, LONGEST_RUN = 0.01, 0.3
RUN_TIMEOUT = 20
# A run is disturbed if others had more of the processors that it could use, and is then repeated.
MOST_FOREIGN_SHARE = 0.1
ATTEMPTS = 3


class Contender:
    def __init__(self, name, program):
        self.name = name
        self.program = program


def find_contenders(folder):
    contenders = []
    for program in sorted(folder.glob("bench_*")):
        if not os.access(program, os.X_OK) or program.is_dir():
            continue
        names = subprocess.run([program, "list"], check=True, capture_output=True, text=True)
        contenders += [Contender(name, program) for name in names.stdout.split()]
    return contenders


def missing_rivals(folder):
    return {name: packages for name, packages in RIVALS.items()
            if not (folder / f"bench_{name}").exists()}


class Load:
    """What of the time of some processors went to others than this process's children."""

    def __init__(self, processors):
        self.processors = processors
        self.tick = 1 / os.sysconf("SC_CLK_TCK")
        self.start = time.monotonic()
        self.busy, self.own = self.read_busy(), self.read_own()

    def foreign_share(self):
        # The kernel counts what is busy in ticks, and one more or less says nothing.
        foreign = self.read_busy() - self.busy - (self.read_own() - self.own) - self.tick
        return foreign / (time.monotonic() - self.start) / len(self.processors)

    def read_busy(self):
        names = {f"cpu{number}" for number in self.processors}
        ticks = 0
        for line in pathlib.Path("/proc/stat").read_text(encoding="ascii").splitlines():
            name, *times = line.split()
            if name in names:
                user, nice, system, _, _, interrupt, soft_interrupt, steal = map(int, times[:8])
                ticks += user + nice + system + interrupt + soft_interrupt + steal
        return ticks * self.tick

    @staticmethod
    def read_own():
        return sum(usage.ru_utime + usage.ru_stime for usage in
                   map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


class Runner:
    """Runs a contender once in a scenario; remembers who cannot do what."""

    def __init__(self):
        self.seconds = SHORTEST_RUN
        self.runs = 0
        self.no_more_repeats = 0.0
        self.unable = set()
        self.processors = sorted(os.sched_getaffinity(0))
        self.processor = self.processors[0]

    def run(self, contender, scenario, mode):
        """The figures, as {name: (value, unit)}, or none; and whether nobody disturbed the run."""
        if scenario not in ONLY_IN.get(contender.name, [scenario]):
            return {}, True
        if (contender.name, scenario) in self.unable:
            return {}, True
        figures, quiet = {}, False
        for _ in range(ATTEMPTS):
            self.runs += 1
            processors = [self.processor] if mode == "one" else self.processors
            load = Load(processors)
            figures = self.run_once(contender, scenario, processors)
            quiet = load.foreign_share() <= MOST_FOREIGN_SHARE
            if quiet or not figures or time.monotonic() > self.no_more_repeats:
                break
        return figures, quiet

    def run_once(self, contender, scenario, processors):
        command = ["taskset", "-c", ",".join(map(str, processors)), contender.program, "run",
                   contender.name, scenario, str(self.seconds)]
        with tempfile.TemporaryDirectory() as folder:
            try:
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True,
                                      timeout=RUN_TIMEOUT)
            except subprocess.TimeoutExpired:
                # That would be so again.
                self.unable.add((contender.name, scenario))
                complain(contender, scenario, f"took more than {RUN_TIMEOUT} s")
                return {}
        if done.returncode == CANNOT:
            self.unable.add((contender.name, scenario))
        elif done.returncode != 0:
            complain(contender, scenario, done.stderr.strip() or done.returncode)
        figures = {}
        for line in done.stdout.splitlines() if done.returncode == 0 else []:
            name, value, unit = line.split("\t")
            figures[name] = (float(value), unit)
        return figures


def complain(contender, scenario, why):
    print(f"{contender.name} failed in {scenario}: {why}", file=sys.stderr)


def run_round(runner, contenders, scenarios, modes, results):
    by_name = {contender.name: contender for contender in contenders}
    for scenario in scenarios:
        for mode in modes:
            floor = by_name.get(FLOORS[scenario])
            run_floor = (lambda: runner.run(floor, scenario, mode)) if floor else (lambda: ({}, True))
            before, before_quiet = run_floor()
            for contender in contenders:
                figures, quiet = runner.run(contender, scenario, mode)
                if not figures:
                    continue
                after, after_quiet = run_floor()
                results.add((scenario, contender.name, mode), figures, [before, after],
                            quiet and before_quiet and after_quiet)
                before, before_quiet = after, after_quiet


def run_length(round_seconds, runs, overhead):
    """How long each of so many runs a round may take."""
    # The warm-up takes a fifth of it again.
    seconds = (round_seconds / max(runs, 1) - overhead) / 1.2
    return min(max(seconds, SHORTEST_RUN), LONGEST_RUN)


def measure(contenders, scenarios, modes, plan):
    # With the floor between them; that somebody cannot do something shows in the first round.
    runs = 2 * len(contenders) * len(scenarios) * len(modes)
    overhead = START_SECONDS
    runner = Runner()
    results = report.Results()
    start = time.monotonic()
    for number in range(plan["rounds"]):
        begun = time.monotonic()
        left = plan["seconds"] - (begun - start)
        share = left / (plan["rounds"] - number)
        runner.seconds = run_length(share, runs, overhead)
        # Half a round may go before there must be no more repeating if it shall end in time.
        runner.no_more_repeats = begun + share / 2
        runner.runs = 0
        run_round(runner, contenders, scenarios, modes, results)
        took = time.monotonic() - begun
        runs = runner.runs
        overhead = max(took / max(runs, 1) - 1.2 * runner.seconds, 0)
        print(f"round {number + 1}: {runs} runs of {runner.seconds:.2f} s, {took:.0f} s in all",
              file=sys.stderr)
        if left - took < overhead * runs:
            break
    return results


def parse_arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="at most 4 minutes (the default)")
    length.add_argument("--full", action="store_true", help="at most 30 minutes")
    parser.add_argument("--only", metavar="PATTERN", action="append", default=[],
                        help="contenders or scenarios whose names match, such as 'lwmsg-*' or 'S1-*'; "
                             "may be given several times")
    parser.add_argument("--mode", choices=MODES, action="append", help="default: both")
    parser.add_argument("--tsv", metavar="FILE", type=pathlib.Path, help="default: beside the programs")
    parser.add_argument("--plot", metavar="FILE.svg", type=pathlib.Path,
                        help="draw the ratios, of the first mode; needs gnuplot")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def choose(names, patterns):
    """Those that match; all if no pattern is meant for any of them."""
    chosen = [name for name in names if any(fnmatch.fnmatch(name, each) for each in patterns)]
    return chosen or list(names)


def main():
    arguments = parse_arguments()
    contenders = find_contenders(arguments.programs.resolve())
    names = choose([contender.name for contender in contenders], arguments.only)
    scenarios = choose(FLOORS, arguments.only)
    floors = {FLOORS[scenario] for scenario in scenarios}
    chosen = [each for each in contenders if each.name in names or each.name in floors]
    plan = FULL if arguments.full else QUICK
    modes = arguments.mode or MODES
    results = measure(chosen, scenarios, modes, plan)
    tsv = arguments.tsv or arguments.programs / "results.tsv"
    results.write_tsv(tsv)
    results.print_table(sys.stdout)
    if arguments.plot and shutil.which("gnuplot"):
        results.plot(arguments.plot.resolve(), modes[0])
    elif arguments.plot:
        print("not drawn: there is no gnuplot; apt-get install gnuplot-nox")
    for rival, packages in missing_rivals(arguments.programs).items():
        print(f"left out: {rival}; to have it: apt-get install {packages}")
    print(f"all figures: {tsv}")


if __name__ == "__main__":
    main()
