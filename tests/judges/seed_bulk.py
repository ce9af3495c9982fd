#!/usr/bin/env python3
"""Launches many instances, a hundred a reservation.  Usage: seed_bulk.py ENDPOINT REGION COUNT"""
import json
import sys

from cloud import client


def main(endpoint, region, count):
    ec2 = client("ec2", endpoint, region)
    tags = [{"Key": "tier", "Value": "production"}, {"Key": "Name", "Value": "bulk"}]
    for _ in range(int(count) // 100):
        ec2.run_instances(
            MinCount=100, MaxCount=100, InstanceType="t3.small", ImageId="ami-0123456789abcdef0",
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
    print(json.dumps({"launched": int(count) // 100 * 100}))


if __name__ == "__main__":
    main(*sys.argv[1:])
