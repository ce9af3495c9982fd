"""The aws command inside this process, and what it was seen to call: shared by the judges that use it."""
import contextlib, functools, io, json, os, shlex, sys

import botocore.loaders, botocore.session
from awscli.clidriver import create_clidriver
from botocore import xform_name

FAULTS, CALLED = [], set()

# AWS's models are read once, and not once a command.
botocore.session.create_loader = functools.cache(botocore.loaders.create_loader)


def check(condition, text):
    if not condition:
        FAULTS.append(text)
        print("FAULT", text, flush=True)


def ran(words):
    """Exit code, what was printed and what was said beside it."""
    shown, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(said):
        try:
            code = create_clidriver().main([*words, "--output", "json"])
        except SystemExit as end:
            code = end.code
    CALLED.add(f"{words[0]}.{words[1]}")
    return code, shown.getvalue(), said.getvalue()


def aws(line, *more):
    """Runs `aws …`, as a shell would split the line, and reads the JSON that it prints."""
    words = [*shlex.split(line), *more]
    code, shown, said = ran(words)
    check(code == 0, f"aws {shlex.join(words)}: exit {code}: {said.strip()}")
    return json.loads(shown or "{}")


def refused(code, line, *more):
    """Runs a command that must be refused with that code."""
    words = [*shlex.split(line), *more]
    ended, _, said = ran(words)
    check(ended in (254, 255) and f"({code})" in said, f"aws {shlex.join(words)}: {code} was expected: exit {ended}: {said.strip()}")


def verdict():
    """Every operation of its sort was called; leaves with 1 if anything was found."""
    for each in os.environ.get("SERVED", "").split():
        service, operation = each.split(".")
        if f"{service}.{xform_name(operation, '-')}" not in CALLED:
            check(False, f"{each} is served and was not judged by the aws command")
    print(json.dumps({"commands": len(CALLED), "faults": len(FAULTS)}))
    sys.exit(1 if FAULTS else 0)
