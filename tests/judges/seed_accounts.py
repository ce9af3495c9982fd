#!/usr/bin/env python3
"""Fills two accounts in two regions of an empty moto and makes roles for them: `reader` may read, `blind` may
read all but instances. Run it before IAM is turned on.

Usage: seed_accounts.py ENDPOINT  ->  the keys of a user who may assume the roles, and the instances by scope."""
import json
import sys

from cloud import assumed, client

ACCOUNTS = ("111111111111", "222222222222")
REGIONS = ("us-east-1", "eu-west-1")
READ = [
    "autoscaling:Describe*", "cloudwatch:*", "ec2:Describe*", "ecs:Describe*", "ecs:List*",
    "elasticloadbalancing:Describe*", "monitoring:*", "ssm:*", "sts:*",
]


def policy(*statements):
    made = [{"Effect": effect, "Action": actions, "Resource": "*"} for effect, actions in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": made})


def main(endpoint):
    iam = client("iam", endpoint, "us-east-1")
    iam.create_user(UserName="oncall")
    iam.put_user_policy(UserName="oncall", PolicyName="all", PolicyDocument=policy(("Allow", ["*"])))
    key = iam.create_access_key(UserName="oncall")["AccessKey"]
    trust = json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}],
    })
    instances = {}
    for account in ACCOUNTS:
        keys, token = assumed(endpoint, "us-east-1", account, "maker")
        iam = client("iam", endpoint, "us-east-1", keys, token)
        for role, statements in {
            "reader": [("Allow", READ)],
            "blind": [("Allow", READ), ("Deny", ["ec2:DescribeInstances"])],
        }.items():
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
            iam.put_role_policy(RoleName=role, PolicyName=role, PolicyDocument=policy(*statements))
        for region in REGIONS:
            ec2 = client("ec2", endpoint, region, keys, token)
            image = "ami-0123456789abcdef0"
            made = ec2.run_instances(MinCount=5, MaxCount=5, InstanceType="t3.small", ImageId=image)["Instances"]
            instances[f"{account}/{region}"] = [instance["InstanceId"] for instance in made]
    print(json.dumps({"key": key["AccessKeyId"], "secret": key["SecretAccessKey"], "instances": instances}))


if __name__ == "__main__":
    main(*sys.argv[1:])
