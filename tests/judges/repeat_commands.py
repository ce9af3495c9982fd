"""Runs `aws …` commands that coredeck recorded, as a person would paste them.  Reads a JSON list of commands
from stdin; the environment points to what listens.  Each is marked by its number in the user agent, so that the
listener knows whose request it got.  The first few go through a real shell and the real program, the rest
through the same program inside this process, which is ten times as fast.  Prints a JSON list of
[exit code, what was said on stderr]."""
import contextlib, io, json, os, shlex, subprocess, sys

from awscli.clidriver import create_clidriver

SHELLED = 3
here = os.path.dirname(sys.executable)
os.environ["PATH"] = here + os.pathsep + os.environ.get("PATH", "")
done = []
for number, command in enumerate(json.load(sys.stdin)):
    os.environ["AWS_SDK_UA_APP_ID"] = f"nth-{number}"
    if number < SHELLED:
        ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
        done.append([ran.returncode, ran.stderr])
        continue
    words = shlex.split(command)
    said, shown = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(shown):
        try:
            code = create_clidriver().main(words[1:])
        except SystemExit as end:
            code = end.code
    done.append([code, said.getvalue()])
print(json.dumps(done))
