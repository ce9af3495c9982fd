#!/usr/bin/env python3
"""Lists all instances of a region as a script would, with pages of a thousand, and prints how many there are and
how long the listing took without the interpreter's start.  Usage: list_instances.py ENDPOINT REGION"""
import json
import sys
import time

from cloud import client


def main(endpoint, region):
    ec2 = client("ec2", endpoint, region)
    began = time.perf_counter()
    pages = ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 1000})
    ids = [i["InstanceId"] for page in pages for r in page["Reservations"] for i in r["Instances"]]
    print(json.dumps({"count": len(ids), "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main(*sys.argv[1:])
