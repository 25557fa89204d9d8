"""Runs the contenders' programs in turn, round by round, and tells report.py what came out.

Each run of a contender stands between two runs of the floor of its scenario; one run of the floor
serves the contender before it and the one after it.
"""

import argparse
import fnmatch
import os
import pathlib
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
    "S4-bulk": "raw-block",
    "S4-shared": "raw-block",
    "S5": "raw-block",
    "S6": "raw-epoll-server",
    "S7": None,
    "S8": "raw-block",
}
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

QUICK = {"seconds": 225, "rounds": 3}
FULL = {"seconds": 1740, "rounds": 9}
# What a run takes besides measuring: two processes, the warm-up, a connection.
START_SECONDS = 0.02
SHORTEST_RUN, LONGEST_RUN = 0.01, 0.3
RUN_TIMEOUT = 20


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


class Runner:
    """Runs a contender once in a scenario; remembers who cannot do what."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.unable = set()
        self.processor = min(os.sched_getaffinity(0))

    def run(self, contender, scenario, mode):
        """The figures, as {name: (value, unit)}; empty if there are none."""
        if (contender.name, scenario) in self.unable:
            return {}
        command = [contender.program, "run", contender.name, scenario, str(self.seconds)]
        if mode == "one":
            command = ["taskset", "-c", str(self.processor)] + command
        with tempfile.TemporaryDirectory() as folder:
            try:
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True,
                                      timeout=RUN_TIMEOUT)
            except subprocess.TimeoutExpired:
                return self.give_up(contender, scenario, f"took more than {RUN_TIMEOUT} s")
        if done.returncode == CANNOT:
            return self.give_up(contender, scenario, None)
        if done.returncode != 0:
            return self.give_up(contender, scenario, done.stderr.strip() or done.returncode)
        figures = {}
        for line in done.stdout.splitlines():
            name, value, unit = line.split("\t")
            figures[name] = (float(value), unit)
        return figures

    def give_up(self, contender, scenario, why):
        self.unable.add((contender.name, scenario))
        if why is not None:
            print(f"{contender.name} failed in {scenario}: {why}", file=sys.stderr)
        return {}


def run_round(runner, contenders, scenarios, modes, results):
    by_name = {contender.name: contender for contender in contenders}
    for scenario in scenarios:
        for mode in modes:
            floor = by_name.get(FLOORS[scenario])
            before = runner.run(floor, scenario, mode) if floor else {}
            for contender in contenders:
                figures = runner.run(contender, scenario, mode)
                if not figures:
                    continue
                after = runner.run(floor, scenario, mode) if floor else {}
                results.add(scenario, contender.name, mode, figures, [before, after])
                before = after


def run_length(plan, runs):
    """How long each of so many runs a round may take."""
    seconds = plan["seconds"] / plan["rounds"] / max(runs, 1) - START_SECONDS
    # The warm-up takes a fifth of it again.
    return min(max(seconds / 1.2, SHORTEST_RUN), LONGEST_RUN)


def measure(contenders, scenarios, modes, plan):
    # With the floor between them; that somebody cannot do something makes it shorter.
    runs = 2 * len(contenders) * len(scenarios) * len(modes)
    runner = Runner(run_length(plan, runs))
    results = report.Results()
    start = time.monotonic()
    for number in range(plan["rounds"]):
        begun = time.monotonic()
        run_round(runner, contenders, scenarios, modes, results)
        now = time.monotonic()
        print(f"round {number + 1}: {now - begun:.0f} s", file=sys.stderr)
        if now - start + (now - begun) > plan["seconds"]:
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
    parser.add_argument("--programs", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def choose(names, patterns):
    """Those that match; all if no pattern is meant for any of them."""
    chosen = [name for name in names if any(fnmatch.fnmatch(name, each) for each in patterns)]
    return chosen or list(names)


def main():
    arguments = parse_arguments()
    contenders = find_contenders(arguments.programs)
    names = choose([contender.name for contender in contenders], arguments.only)
    scenarios = choose(FLOORS, arguments.only)
    floors = {FLOORS[scenario] for scenario in scenarios}
    chosen = [each for each in contenders if each.name in names or each.name in floors]
    plan = FULL if arguments.full else QUICK
    results = measure(chosen, scenarios, arguments.mode or MODES, plan)
    tsv = arguments.tsv or arguments.programs / "results.tsv"
    results.write_tsv(tsv)
    results.print_table(sys.stdout)
    for rival, packages in missing_rivals(arguments.programs).items():
        print(f"left out: {rival}; to have it: apt-get install {packages}")
    print(f"all figures: {tsv}")


if __name__ == "__main__":
    main()
