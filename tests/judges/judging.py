"""What the judges of the simulator share: clients whose raw answers are checked against AWS's own models by
strict.py, and for members that the models do not know; and the faults that were found."""
import collections, datetime, json, os, sys
from xml.etree import ElementTree as ET
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boto3, strict
from botocore.config import Config
from botocore.exceptions import ClientError

FAULTS = []
CALLED = set()


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
    return client


def client(name, **more):
    return attach(boto3.client(name, config=Config(retries={"total_max_attempts": 1}), **more))


def pages(c, operation, key, size=None, **params):
    if size:
        params["PaginationConfig"] = {"PageSize": size}
    found, count = [], 0
    for page in c.get_paginator(operation).paginate(**params):
        found += page[key]
        count += 1
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


def verdict(**figures):
    """Says what was found, and leaves: 1 if anything was."""
    for (op, path, want), got in strict.BAD.items():
        fault(f"{op} {path}: {want} expected, {got} came")
    for missed in sorted(set(os.environ.get("SERVED", "").split()) - CALLED):
        fault(f"{missed} is served and was not judged")
    print(json.dumps({**figures, "calls": len(CALLED), "faults": len(FAULTS)}))
    sys.exit(1 if FAULTS else 0)
