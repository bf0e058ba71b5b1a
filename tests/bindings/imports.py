"""How much longer an interpreter takes to start and end when it imports a binding, and whether that starts a thread.

    imports.py PYTHON NODE ADDON      the interpreters, and the folder of the Node package

Medians of 31 starts of each kind, which take turns.
"""

import statistics
import subprocess
import sys
import time

python, node, package = sys.argv[1:]
# Both tell how many threads there are: in Linux each is a folder.
PAIRS = {
    "Python": (
        [python, "-c", "import os; print(len(os.listdir('/proc/self/task')))"],
        [python, "-c", "import os, socketio_native; print(len(os.listdir('/proc/self/task')))"],
    ),
    "Node": (
        [node, "-p", "fs.readdirSync('/proc/self/task').length"],
        [node, "-p", f"require({package!r}); fs.readdirSync('/proc/self/task').length"],
    ),
}


def start(command):
    begun = time.perf_counter()
    threads = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return 1000 * (time.perf_counter() - begun), threads


for name, (bare, with_binding) in PAIRS.items():
    runs = [(start(bare), start(with_binding)) for _ in range(31)]
    before, after = (statistics.median(run[i][0] for run in runs) for i in (0, 1))
    threads = {(run[0][1], run[1][1]) for run in runs}
    print(f"{name}: {before:.1f} ms without, {after:.1f} ms with, {after - before:+.1f} ms; threads {sorted(threads)}")
