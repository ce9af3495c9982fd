"""What the judges of the simulator share: clients whose raw answers are checked against AWS's own models by
strict.py, and for members that the models do not know; and the faults that were found."""
import collections, datetime, json, os, sys, time
from xml.etree import ElementTree as ET
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boto3, strict
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.waiter import WaiterModel

FAULTS = []
CALLED, PAGED, WAITED = set(), set(), set()
CLIENTS = {}

# Codes that any operation of a service may answer with, whatever its model lists.
COMMON = {
    "AccessDenied", "AccessDeniedException", "IdempotentParameterMismatch", "InvalidAction", "InvalidNextToken",
    "InvalidParameterCombination", "InvalidParameterValue", "MissingParameter", "UnknownOperationException",
    "ValidationError", "ValidationException",
}


def fault(text):
    FAULTS.append(text)
    print("FAULT", text, flush=True)


def check(condition, text):
    if not condition:
        fault(text)


def strangers(op, shape, node, path, xml):
    """Members in the answer that AWS's model does not have."""
    if shape.type_name == "structure":
        names = {s.serialization.get("name", k): s for k, s in shape.members.items()}
        for key, child in (((strict.tag(c), c) for c in node) if xml else node.items()):
            if key in names:
                strangers(op, names[key], child, f"{path}.{key}", xml)
            elif key not in ("requestId", "ResponseMetadata"):
                fault(f"{op} {path}.{key} is not in the model")
    elif shape.type_name == "list":
        for child in node:
            if xml and strict.tag(child) != shape.member.serialization.get("name", "member"):
                fault(f"{op} {path} list item is named {strict.tag(child)}")
            strangers(op, shape.member, child, f"{path}[]", xml)


def attach(client):
    strict.attach(client)

    def look(operation_model, response_dict, **_):
        CALLED.add(f"{operation_model.service_model.service_name}.{operation_model.name}")
        shape = operation_model.output_shape
        if response_dict["status_code"] >= 300 or shape is None:
            return
        op = operation_model.name
        if operation_model.service_model.resolved_protocol == "json":
            strangers(op, shape, json.loads(response_dict["body"]), "$", False)
        elif response_dict["body"]:
            root = ET.fromstring(response_dict["body"])
            wrapper = shape.serialization.get("resultWrapper")
            if wrapper:
                root = [c for c in root if strict.tag(c) == wrapper][0]
            strangers(op, shape, root, "$", True)
    client.meta.events.register("before-parse.*.*", look)

    def known(parsed, model, **_):
        code = parsed.get("Error", {}).get("Code")
        listed = {s.metadata.get("error", {}).get("code", s.name) for s in model.error_shapes}
        # EC2's model lists no errors.
        if code and model.service_model.error_shapes and code not in listed | COMMON:
            fault(f"{model.name} answers {code}, which its model does not list")
    client.meta.events.register("after-call.*.*", known)
    return client


def client(name, **more):
    """A client whose answers, errors, paginators and waiters are noted and checked."""
    more = {"config": Config(retries={"total_max_attempts": 1})} | more
    made = CLIENTS[name] = attach(boto3.client(name, **more))
    paginator, waiter = made.get_paginator, made.get_waiter

    def paged(operation):
        PAGED.add(f"{name}.{operation}")
        return paginator(operation)

    def waited(what):
        WAITED.add(f"{name}.{what}")
        return waiter(what)
    made.get_paginator, made.get_waiter = paged, waited
    return made


def pages(c, operation, key, size=None, **params):
    """Every row by botocore's paginator, and how many pages there were.  In small pages it is also left in the middle
    and gone on with, as a person does with --max-items and --starting-token."""
    paginator = c.get_paginator(operation)
    small = {"PaginationConfig": {"PageSize": size}} if size else {}
    found, count = [], 0
    for page in paginator.paginate(**params, **small):
        found += page[key]
        count += 1
    if size and len(found) > size + 1:
        first = paginator.paginate(**params, PaginationConfig={"PageSize": size, "MaxItems": size + 1}).build_full_result()
        again = {"PageSize": size, "StartingToken": first.get("NextToken")}
        rest = paginator.paginate(**params, PaginationConfig=again).build_full_result()
        both = len(first[key]) + len(rest[key])
        check(len(first[key]) == size + 1 and both == len(found), f"{operation}: left and gone on with, {both} rows of {len(found)}")
    return found, count


def refused(code, call, status=None):
    try:
        call()
        fault(f"{code} was expected, but it was answered")
    except ClientError as error:
        got = error.response["Error"]["Code"]
        check(got == code, f"{code} was expected, {got} came: {error}")
        check(error.response["ResponseMetadata"]["RequestId"], f"{code} carries a request id")
        if status:
            check(error.response["ResponseMetadata"]["HTTPStatusCode"] == status, f"{code} comes with {status}")


def same(what, a, b, key=lambda x: json.dumps(x, default=str, sort_keys=True)):
    a, b = [key(x) for x in a], [key(x) for x in b]
    check(a == b, f"{what}: small pages give {len(b)} rows, one page gives {len(a)}")
    check(len(set(a)) == len(a), f"{what}: rows come twice")


def served():
    """What is served, as (client, operation in Python's spelling)."""
    for each in os.environ.get("SERVED_ALL", "").split():
        name, operation = each.split(".")
        if name in CLIENTS:
            yield CLIENTS[name], name, operation


def unpaged():
    """Operations that are served and have a paginator that was not used."""
    of = (f"{name}.{xform_name(operation)}" for c, name, operation in served() if c.can_paginate(xform_name(operation)))
    return sorted(set(of) - PAGED)


def unwaited():
    """Waiters over operations that are served, and that were not used."""
    missed = set()
    for c, name, operation in served():
        model = WaiterModel(c._get_waiter_config()) if c.waiter_names else None
        for each in model.waiter_names if model else []:
            if model.get_waiter(each).operation == operation:
                missed.add(f"{name}.{xform_name(each)}")
    return sorted(missed - WAITED)


def verdict(**figures):
    """Says what was found, and leaves: 1 if anything was."""
    for (op, path, want), got in strict.BAD.items():
        fault(f"{op} {path}: {want} expected, {got} came")
    for missed in sorted(set(os.environ.get("SERVED", "").split()) - CALLED):
        fault(f"{missed} is served and was not judged")
    print(json.dumps({**figures, "calls": len(CALLED), "paginators": len(PAGED), "waiters": len(WAITED), "faults": len(FAULTS)}))
    sys.exit(1 if FAULTS else 0)
